import { SecretStore } from '../config/references.ts';
import type { Logger } from '../host.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import type { Consumer } from './consumer.ts';
import { digestOf, type KeyIndex, LONGEST_KEY } from './key-index.ts';

/** What a key in the index stands for. */
export interface KeyOwner {
  readonly consumer: Consumer;
  /** On `performance.now()`'s clock: later than that, the key may have been changed where it is kept. */
  freshUntil: number;
}

/** A consumer's key that still has `$secret://` in it. */
export interface SecretKey {
  readonly consumer: Consumer;
  readonly text: string;
}

/** As long as a `SecretStore` remembers. */
const LIFETIME_MS = 5 * 60 * 1000;

/** After a failure. Guessed keys must not become so many questions to a secret manager that is down. */
const RETRY_MS = 10 * 1000;

/** How long a request waits for secrets at most: a secret manager may hang. */
const PATIENCE_MS = 5 * 1000;

/** Whether a key in the index still counts. */
export function isFresh({ freshUntil }: KeyOwner): boolean {
  return performance.now() <= freshUntil;
}

interface Slot {
  readonly text: string;
  readonly owner: KeyOwner;
  digest: Buffer | undefined;
  /** Not before that. */
  askAt: number;
  isAsked: boolean;
  isReported: boolean;
}

function makeSlot({ text, consumer }: SecretKey): Slot {
  const never = Number.NEGATIVE_INFINITY;
  const owner = { consumer, freshUntil: never };
  return { text, owner, digest: undefined, askAt: never, isAsked: false, isReported: false };
}

/** Resolves when all have ended or the time is up. */
async function endedOrLate(work: readonly Promise<void>[], timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs).unref();
  });
  await Promise.race([Promise.all(work), late]);
  clearTimeout(timer);
}

/**
 * Resolves keys into the index, now and again once they are five minutes old and somebody asks. A key that cannot be
 * resolved is nobody's until it can be.
 */
export class SecretKeys {
  readonly #slots: readonly Slot[];
  readonly #index: KeyIndex<KeyOwner>;
  readonly #secrets: SecretStore;
  readonly #logger: Logger;
  #round: Promise<void> | undefined;
  #dueAt = Number.NEGATIVE_INFINITY;

  constructor(keys: readonly SecretKey[], index: KeyIndex<KeyOwner>, { logger, secret }: ResolvedHost) {
    this.#slots = keys.map(makeSlot);
    this.#index = index;
    this.#secrets = new SecretStore(secret);
    this.#logger = logger;
    void this.refresh();
  }

  /** What to wait for before the index knows all it can; `undefined` where it does already. */
  refresh(): Promise<void> | undefined {
    if (this.#slots.length === 0) return undefined;
    if (this.#round === undefined && performance.now() <= this.#dueAt) return undefined;
    this.#round ??= this.#resolveDue().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #resolveDue(): Promise<void> {
    const start = performance.now();
    // What is still being looked up since an earlier round has been waited for once, which is enough.
    const due = this.#slots.filter(({ askAt, isAsked }) => !isAsked && start > askAt);
    await endedOrLate(
      due.map((slot) => this.#resolve(slot)),
      PATIENCE_MS,
    );
    for (const slot of due) {
      if (slot.isAsked) this.#report(slot, 'it takes too long to look up');
      // All at the same time: ten thousand keys must not come due in as many rounds.
      else if (slot.digest !== undefined) this.#renew(slot);
    }
    this.#dueAt = this.#slots.reduce(
      (soonest, { askAt, isAsked }) => (isAsked ? soonest : Math.min(soonest, askAt)),
      Number.POSITIVE_INFINITY,
    );
  }

  async #resolve(slot: Slot): Promise<void> {
    slot.isAsked = true;
    try {
      this.#keep(slot, await this.#secrets.fill(slot.text));
      slot.isReported = false;
    } catch (error) {
      this.#forget(slot);
      this.#report(slot, error instanceof Error ? error.message : 'unknown');
    } finally {
      slot.isAsked = false;
      // For one that comes too late for its round.
      this.#dueAt = Math.min(this.#dueAt, slot.askAt);
    }
  }

  #keep(slot: Slot, key: string): void {
    if (key === '') throw new Error('it is empty');
    if (key.length > LONGEST_KEY) throw new Error(`it is longer than ${LONGEST_KEY} characters`);
    const digest = digestOf(key);
    const holder = this.#index.find(digest);
    if (holder !== undefined && holder.consumer !== slot.owner.consumer && isFresh(holder)) {
      throw new Error(`it is the key of the consumer ${holder.consumer.username} as well`);
    }
    this.#forget(slot);
    slot.digest = digest;
    this.#index.set(digest, slot.owner);
    this.#renew(slot);
  }

  /** A `SecretStore` has begun to remember by now, so by the time this is over it has forgotten. */
  #renew(slot: Slot): void {
    slot.owner.freshUntil = performance.now() + LIFETIME_MS;
    slot.askAt = slot.owner.freshUntil;
  }

  #forget(slot: Slot): void {
    if (slot.digest !== undefined) this.#index.remove(slot.digest, slot.owner);
    slot.digest = undefined;
    slot.owner.freshUntil = Number.NEGATIVE_INFINITY;
    slot.askAt = performance.now() + RETRY_MS;
  }

  /** Once until it is resolved, or every guessed key could write a line. */
  #report(slot: Slot, reason: string): void {
    if (slot.isReported) return;
    slot.isReported = true;
    this.#logger.warn(
      { consumer: slot.owner.consumer.username, reason },
      "a consumer's key cannot be used until its secret can be resolved",
    );
  }
}
