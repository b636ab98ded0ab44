import type { ErrorObject } from 'ajv';
import { isJsonObject } from './json.ts';

/** Which branch of an `anyOf` or `oneOf` an error belongs to: Ajv reports those of every branch. */
function branchOf(error: ErrorObject, { schemaPath, instancePath }: ErrorObject): string | undefined {
  const isInside =
    error.schemaPath.startsWith(`${schemaPath}/`) && `${error.instancePath}/`.startsWith(`${instancePath}/`);
  return isInside ? error.schemaPath.slice(schemaPath.length + 1).split('/')[0] : undefined;
}

/** The branch that was meant: the only one whose complaints all lie deeper than the value itself. */
function meantBranch(inside: readonly ErrorObject[], anyOf: ErrorObject): string | undefined {
  const branches = [...new Set(inside.map((error) => branchOf(error, anyOf)))];
  const fitting = branches.filter((branch) =>
    inside.every((error) => branchOf(error, anyOf) !== branch || error.instancePath !== anyOf.instancePath),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

function simplify(errors: readonly ErrorObject[], anyOf: ErrorObject): readonly ErrorObject[] {
  const inside = errors.filter((error) => branchOf(error, anyOf) !== undefined);
  const meant = meantBranch(inside, anyOf);
  const noise = new Set(inside.filter((error) => branchOf(error, anyOf) !== meant));
  return errors.filter((error) => !noise.has(error) && (error !== anyOf || meant === undefined));
}

/** Of a `oneOf` its own error says enough: its branches only ask for fields. What is no object lacks more. */
function withoutBranches(errors: readonly ErrorObject[], oneOf: ErrorObject): readonly ErrorObject[] {
  return errors.filter(
    (error) => branchOf(error, oneOf) === undefined && (error !== oneOf || isJsonObject(error.data)),
  );
}

function ofKeyword(errors: readonly ErrorObject[], keyword: string): readonly ErrorObject[] {
  return errors.filter((error) => error.keyword === keyword);
}

/**
 * Makes one error of the many that an `anyOf` or a `oneOf` causes: those of the branch that was meant when that is
 * clear (a bad item of an array), else the `anyOf` or `oneOf` itself.
 */
export function simplifyAlternatives(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const outer = ofKeyword(errors, 'oneOf').reduce(withoutBranches, errors);
  return ofKeyword(outer, 'anyOf').reduce(simplify, outer);
}
