/** Something that takes requests with certain tags. */
export interface Tagged {
  readonly tags: readonly string[];
}

/** The targets for a request with this `x-aisix-routing-tags` header, in their order. */
type EligibleTargets<Target> = (header: string | readonly string[] | undefined) => readonly Target[];

const DEFAULT_TAG = 'default';

/** Tags are separated by commas. */
function parseTags(header: string | readonly string[] | undefined): ReadonlySet<string> {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  const tags = text.split(',').map((tag) => tag.trim());
  return new Set(tags.filter((tag) => tag !== ''));
}

/**
 * Compiles which targets a request may go to. Where no target has tags, all of them, whatever the request says. A
 * request with tags goes to those that have one of them, else to those tagged `default`, of which there may be none;
 * one without tags goes to those tagged `default`, else to all.
 */
export function eligibleTargets<Target extends Tagged>(targets: readonly Target[]): EligibleTargets<Target> {
  if (targets.every(({ tags }) => tags.length === 0)) return () => targets;
  const defaults = targets.filter(({ tags }) => tags.includes(DEFAULT_TAG));
  const untagged = defaults.length > 0 ? defaults : targets;
  return (header) => {
    const wanted = parseTags(header);
    if (wanted.size === 0) return untagged;
    const matching = targets.filter(({ tags }) => tags.some((tag) => wanted.has(tag)));
    return matching.length > 0 ? matching : defaults;
  };
}
