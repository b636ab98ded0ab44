import { findPlugin } from './active-plugins.ts';
import type { ConfigFault } from './config-error.ts';
import { formatPath, quoteName } from './json-path.ts';
import { type Placed, placedItems } from './placed.ts';

/** Where a consumer's keys are: in a plugin of its own, and in its credentials. */
export function keyHolders(consumer: Placed): readonly Placed[] {
  const owners = [consumer, ...placedItems(consumer.object, 'credentials', consumer.path)];
  return owners.flatMap((owner) => findPlugin(owner, 'key-auth') ?? []);
}

function nameOf({ path, object: { username } }: Placed): string {
  return typeof username === 'string' ? quoteName(username) : formatPath(path);
}

/** A fault for every key that somebody else has, too: it would say nothing about who is calling. */
export function repeatedKeyFaults(consumers: readonly Placed[]): readonly ConfigFault[] {
  const owners = new Map<string, Placed>();
  return consumers.flatMap((consumer) =>
    keyHolders(consumer).flatMap(({ path, object: { key } }): ConfigFault[] => {
      if (typeof key !== 'string' || key === '') return [];
      const owner = owners.get(key) ?? consumer;
      owners.set(key, owner);
      if (owner === consumer) return [];
      const message = `is a key of ${nameOf(owner)} and of ${nameOf(consumer)}, must be one consumer's alone`;
      return [{ path: formatPath([...path, 'key']), message }];
    }),
  );
}
