import type { ErrorObject } from 'ajv';

/** The errors of one branch of an `anyOf`, which Ajv reports for every branch. */
function branchOf(error: ErrorObject, anyOf: ErrorObject): string | undefined {
  const isInside =
    error.schemaPath.startsWith(`${anyOf.schemaPath}/`) && error.instancePath.startsWith(anyOf.instancePath);
  return isInside ? error.schemaPath.slice(anyOf.schemaPath.length + 1).split('/')[0] : undefined;
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

/**
 * Makes one error of the many that an `anyOf` causes: those of the branch that was meant when that is clear
 * (a bad item of an array), else the `anyOf` itself.
 */
export function simplifyAlternatives(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  return errors.filter(({ keyword }) => keyword === 'anyOf').reduce(simplify, errors);
}
