import { LRUCache } from 'lru-cache';
import type { LoadedInstance } from '../config/loaded-config.ts';
import { Cooldown } from './cooldown.ts';

/** Updates that never end must not add up. */
const KEPT = 1000;

/** The cooldown of an instance; `undefined` where it has none. */
export type Cooldowns = (instance: LoadedInstance) => Cooldown | undefined;

/**
 * The cooldowns of one middleware, which outlive its plans: an instance whose name, endpoint, auth and cooldown stay the
 * same is not forgiven by an update.
 */
export function makeCooldowns(): Cooldowns {
  const kept = new LRUCache<string, Cooldown>({ max: KEPT });
  return ({ name, endpoint, auth, cooldown: rules }) => {
    if (rules === undefined) return undefined;
    const key = JSON.stringify([name, endpoint, auth, rules]);
    const cooldown = kept.get(key) ?? new Cooldown(rules);
    kept.set(key, cooldown);
    return cooldown;
  };
}
