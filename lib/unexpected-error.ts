/** What may be logged of an error that nobody expects. */
export interface UnexpectedError {
  readonly error: string;
  readonly code: unknown;
  readonly frames: readonly string[];
}

/** A message could quote a body or a configuration; the stack's frames and a system's code cannot. */
export function unexpectedError(error: unknown): UnexpectedError {
  if (!(error instanceof Error)) return { error: 'unknown', code: undefined, frames: [] };
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return { error: error.name, code: 'code' in error ? error.code : undefined, frames };
}
