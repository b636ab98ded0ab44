import { dereference, type Schema } from './schema.ts';

/** `"a", "b" or "c"`. */
export function listOf(values: readonly unknown[], conjunction: 'or' | 'and' = 'or'): string {
  const quoted = values.map((value) => JSON.stringify(value));
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} ${conjunction} ${last}`;
}

function describeRange({ minimum, exclusiveMinimum, maximum }: Schema): string {
  if (exclusiveMinimum !== undefined) return ` greater than ${exclusiveMinimum}`;
  if (minimum === undefined) return '';
  return maximum === undefined ? ` of at least ${minimum}` : ` from ${minimum} to ${maximum}`;
}

function describeLength({ minLength, maxLength, pattern }: Schema): string {
  if (pattern !== undefined) return ` that matches ${pattern}`;
  if (minLength === undefined) return '';
  if (maxLength !== undefined) return ` of ${minLength} to ${maxLength} characters`;
  return minLength === 1 ? ' that is not empty' : ` of at least ${minLength} characters`;
}

function describeArray({ items, minItems, maxItems, uniqueItems }: Schema): string {
  const count = minItems === undefined ? 'an array' : 'a non-empty array';
  const most = maxItems === undefined ? '' : `, at most ${maxItems} of them`;
  const unique = uniqueItems ? ', no two alike' : '';
  return items === undefined ? count : `${count}, each item ${describeSchema(items)}${most}${unique}`;
}

function describeObject({ minProperties, additionalProperties }: Schema): string {
  const kind = minProperties === undefined ? 'an object' : 'a non-empty object';
  if (typeof additionalProperties !== 'object') return kind;
  return `${kind} in which each field is ${describeSchema(additionalProperties)}`;
}

/** What a schema allows, in words that fit behind "must be". */
export function describeSchema(schema: Schema): string {
  const actual = dereference(schema);
  if (actual.enum) return listOf(actual.enum);
  if (actual.anyOf) return actual.anyOf.map(describeSchema).join(', or ');
  if (actual.allOf?.length === 1 && actual.allOf[0]) return describeSchema(actual.allOf[0]);
  switch (actual.type) {
    case 'integer':
      return `an integer${describeRange(actual)}`;
    case 'number':
      return `a number${describeRange(actual)}`;
    case 'string':
      return `a string${describeLength(actual)}`;
    case 'array':
      return describeArray(actual);
    case 'boolean':
      return 'true or false';
    default:
      return describeObject(actual);
  }
}
