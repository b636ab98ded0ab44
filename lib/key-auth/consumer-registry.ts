import type { LoadedConsumer } from '../config/loaded-key-auth.ts';
import { hasSecretReference } from '../config/references.ts';
import type { Logger } from '../host.ts';
import { makeWaitingRequests, type WaitingRequests } from '../request/waiting-requests.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import { type Consumer, type MakeLimiter, makeConsumer } from './consumer.ts';
import { digestOf, LONGEST_KEY, makeKeyIndex } from './key-index.ts';
import { isFresh, type KeyOwner, SecretKeys } from './secret-keys.ts';

/** Everybody who may call. Several key-auths can share one. */
export interface ConsumerRegistry {
  /**
   * Who proves to be themselves by this key. Later only where the key is none of the fixed ones and there are
   * `$secret://` references to be resolved; that takes seconds at most.
   */
  find(key: string): Consumer | undefined | Promise<Consumer | undefined>;
  named(username: string): Consumer | undefined;
  /** Those whose keys are being looked up. */
  readonly waiting: WaitingRequests;
  /** Closes the consumers' limiters, once nobody waits. Resolves when every request of theirs is charged. */
  close(): Promise<void>;
}

function warnOfLongKey(consumer: Consumer, logger: Logger): void {
  logger.warn(
    { consumer: consumer.username },
    `a consumer's key is longer than ${LONGEST_KEY} characters and is never accepted`,
  );
}

/** Registers consumers. */
export function registerConsumers(
  consumers: readonly LoadedConsumer[],
  makeLimiter: MakeLimiter,
  host: ResolvedHost,
): ConsumerRegistry {
  const byName = new Map<string, Consumer>();
  const index = makeKeyIndex<KeyOwner>();
  const secretKeys = consumers.flatMap((loaded) => {
    const consumer = makeConsumer(loaded, makeLimiter);
    byName.set(consumer.username, consumer);
    const owner = { consumer, freshUntil: Number.POSITIVE_INFINITY };
    for (const key of loaded.keys) {
      if (key.length > LONGEST_KEY) warnOfLongKey(consumer, host.logger);
      if (!hasSecretReference(key)) index.set(digestOf(key), owner);
    }
    return loaded.keys.filter(hasSecretReference).map((text) => ({ consumer, text }));
  });
  const waiting = makeWaitingRequests();
  const resolving = new SecretKeys(secretKeys, index, host);

  function look(digest: Buffer): Consumer | undefined {
    const owner = index.find(digest);
    return owner !== undefined && isFresh(owner) ? owner.consumer : undefined;
  }

  return {
    find(key) {
      if (key === '' || key.length > LONGEST_KEY) return undefined;
      const digest = digestOf(key);
      return look(digest) ?? resolving.refresh()?.then(() => look(digest));
    },
    named: (username) => byName.get(username),
    waiting,
    async close() {
      await waiting.none();
      await Promise.all([...byName.values()].map((consumer) => consumer.close()));
    },
  };
}
