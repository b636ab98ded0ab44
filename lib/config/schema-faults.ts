import type { ErrorObject } from 'ajv';
import { simplifyAlternatives } from './alternatives.ts';
import type { ConfigFault } from './config-error.ts';
import { describeSchema, listOf } from './describe-schema.ts';
import { describeValue } from './describe-value.ts';
import { isJsonObject } from './json.ts';
import { formatPath, fromPointer, isSecretPath, type JsonPath, quoteName } from './json-path.ts';
import { fieldsOf, isForbidden, type Schema, schemaAt } from './schema.ts';
import { didYouMean, suggest } from './suggest.ts';

/** APISIX has these, this package not yet: saying "one of …" would send their users looking for a slip. */
const NOT_SUPPORTED_YET: ReadonlySet<unknown> = new Set(['vertex-ai', 'vertex', 'bedrock', 'semantic']);

/** What a schema forbids outright. */
const UNSUPPORTED =
  'is not supported, and to leave it out would change which requests come in or what is done with them';

/** One error of the validator, and where it lies. */
interface Finding {
  readonly path: JsonPath;
  readonly value: unknown;
  /** The schema that was broken, which may be a part of an object's whole schema. */
  readonly schema: Schema;
  readonly params: ErrorObject['params'];
  /** The schema of the whole configuration. */
  readonly root: Schema;
}

function fault(path: JsonPath, message: string): ConfigFault {
  return { path: formatPath(path), message };
}

function sayWrong({ path, value, schema }: Finding, hint = ''): ConfigFault {
  const shown = describeValue(value, path);
  const found = shown === undefined ? '' : `is ${shown}, `;
  return fault(path, `${found}must be ${describeSchema(schema)}${hint}`);
}

function sayMissing({ path, value, schema, params, root }: Finding): ConfigFault {
  const name = String(params.missingProperty);
  const known = fieldsOf(schemaAt(root, path) ?? schema);
  const strangers = isJsonObject(value) ? Object.keys(value).filter((key) => !known.has(key)) : [];
  const meant = suggest(name, strangers);
  const hint = meant === undefined ? '' : `; did you write ${quoteName(meant)} for it?`;
  return fault([...path, name], `is missing, must be ${describeSchema(known.get(name) ?? {})}${hint}`);
}

function sayUnknown({ path, schema, params }: Finding): ConfigFault {
  const name = String(params.additionalProperty);
  const fields = Object.entries(schema.properties ?? {});
  const names = fields.flatMap(([known, field]) => (isForbidden(field) ? [] : [known]));
  const [pattern] = Object.keys(schema.patternProperties ?? {});
  const things = path.at(-1) === 'plugins' ? 'plugins' : 'fields';
  const allowed =
    pattern === undefined
      ? `the only ${things} here are ${listOf(names, 'and')}`
      : `a name here must match ${pattern}`;
  return fault([...path, name], `is not allowed; ${allowed}${didYouMean(name, names)}`);
}

function sayNotListed(finding: Finding): ConfigFault {
  const { path, value, schema } = finding;
  if (typeof value !== 'string' || isSecretPath(path)) return sayWrong(finding);
  if (!NOT_SUPPORTED_YET.has(value)) return sayWrong(finding, didYouMean(value, namesIn(schema)));
  return fault(
    path,
    `is ${JSON.stringify(value)}, which is not supported yet; must be ${describeSchema(schema)}`,
  );
}

/** A bare word that is only allowed within an array is the likeliest slip of all. */
function sayNoAlternative(finding: Finding): ConfigFault {
  const { value, schema } = finding;
  if (typeof value !== 'string') return sayWrong(finding);
  const branches = schema.anyOf ?? [];
  const words = branches.flatMap(namesIn);
  const listed = branches.flatMap(({ items }) => (items ? namesIn(items) : []));
  const meant = suggest(value, [...words, ...listed]);
  if (meant === undefined) return sayWrong(finding);
  return sayWrong(finding, `; did you mean ${JSON.stringify(words.includes(meant) ? meant : [meant])}?`);
}

/** What a schema rules out says in its description what a value does that it rules out. */
function sayForbidden({ path, value, schema }: Finding): ConfigFault {
  if (isForbidden(schema)) return fault(path, UNSUPPORTED);
  return fault(
    path,
    `is ${describeValue(value, path)}, which ${schema.not?.description}; that is not supported`,
  );
}

function namesIn(schema: Schema): string[] {
  return (schema.enum ?? []).filter((name) => typeof name === 'string');
}

function describeFinding(keyword: string, finding: Finding): ConfigFault {
  switch (keyword) {
    case 'required':
    case 'dependencies':
      return sayMissing(finding);
    case 'additionalProperties':
      return sayUnknown(finding);
    case 'enum':
      return sayNotListed(finding);
    case 'anyOf':
      return sayNoAlternative(finding);
    case 'not':
      return sayForbidden(finding);
    case 'oneOf':
      return fault(finding.path, `must have ${finding.schema.description}`);
    default:
      return sayWrong(finding);
  }
}

function withoutRepeats(faults: readonly ConfigFault[]): readonly ConfigFault[] {
  return [...new Map(faults.map((each) => [`${each.path}\n${each.message}`, each])).values()];
}

/** What the validator found, as faults for people: one for each thing that is wrong. */
export function schemaFaults(
  errors: readonly ErrorObject[],
  config: unknown,
  root: Schema,
): readonly ConfigFault[] {
  // An `if` only says that its `then` failed, which has errors of its own.
  const telling = simplifyAlternatives(errors).filter(({ keyword }) => keyword !== 'if');
  const faults = telling.map(({ keyword, instancePath, data, parentSchema, params }) => {
    const finding = {
      path: fromPointer(instancePath, config),
      value: data,
      schema: parentSchema ?? {},
      params,
      root,
    };
    return describeFinding(keyword, finding);
  });
  return withoutRepeats(faults);
}
