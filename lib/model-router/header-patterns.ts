import { compileAllowedNames } from './allowed-names.ts';

/** Sent by every client that can read an answer. */
const ALWAYS = ['accept'];

/**
 * Says of a client's header, by its name in lower case, whether it goes to the upstream.
 *
 * @param patterns names, each with at most one `*`
 * @param stripped never, whatever the patterns say
 */
export function headerFilter(
  patterns: readonly string[],
  stripped: readonly string[],
): (name: string) => boolean {
  const isAsked = compileAllowedNames([...ALWAYS, ...patterns]);
  const never = new Set(stripped);
  return (name) => isAsked(name) && !never.has(name);
}
