import { LRUCache } from 'lru-cache';
import type { Host } from '../host.ts';
import { within } from '../within.ts';

/** A reference runs to the first white space, quote or comma. */
const SECRET_REFERENCE = /\$secret:\/\/[^\s"'`,]+/gi;

const SECRETS_REMEMBERED = 1000;
/** A secret manager that hangs once must not keep a secret from being asked for again. */
const PATIENCE_MS = 10_000;

const SECRET_LIFETIME_MS = 5 * 60 * 1000;

/** Whether `SecretStore.fill` has anything to do on this text. */
export function hasSecretReference(text: string): boolean {
  return text.search(SECRET_REFERENCE) !== -1;
}

function replaceReferences(text: string, answers: ReadonlyMap<string, string>): string {
  return text.replace(SECRET_REFERENCE, (reference) => answers.get(reference) ?? reference);
}

/** Asks `host.secret` for what `$secret://…` references stand for, and remembers its answers for five minutes. */
export class SecretStore {
  readonly #resolve: Host['secret'];
  readonly #answers = new LRUCache<string, string>({ max: SECRETS_REMEMBERED, ttl: SECRET_LIFETIME_MS });
  readonly #underWay = new Map<string, Promise<string>>();

  constructor(resolve: Host['secret']) {
    this.#resolve = resolve;
  }

  /**
   * The text with its secrets in place of their references: at once when all of them are remembered,
   * else a promise, which rejects with an error naming the reference that could not be resolved.
   */
  fill(text: string): string | Promise<string> {
    const references = [...new Set(text.match(SECRET_REFERENCE))];
    const answers = new Map<string, string>();
    for (const reference of references) {
      const answer = this.#answers.get(reference);
      if (answer === undefined) return this.#fillLater(text, references);
      answers.set(reference, answer);
    }
    return replaceReferences(text, answers);
  }

  async #fillLater(text: string, references: readonly string[]): Promise<string> {
    const answers = await Promise.all(
      references.map(async (reference) => [reference, await this.#lookUp(reference)] as const),
    );
    return replaceReferences(text, new Map(answers));
  }

  #lookUp(reference: string): string | Promise<string> {
    const known = this.#answers.get(reference) ?? this.#underWay.get(reference);
    if (known !== undefined) return known;
    const asked = this.#ask(reference).finally(() => this.#underWay.delete(reference));
    this.#underWay.set(reference, asked);
    return asked;
  }

  async #ask(reference: string): Promise<string> {
    const answer = await this.#askHost(reference);
    // A host written in JavaScript may well answer with undefined for a secret it does not have.
    if (typeof answer !== 'string') throw new Error(`The secret ${reference} could not be resolved`);
    this.#answers.set(reference, answer);
    return answer;
  }

  async #askHost(reference: string): Promise<unknown> {
    try {
      const asked = Promise.resolve(this.#resolve?.(reference));
      return await within(PATIENCE_MS, asked, 'no answer', true);
    } catch {
      // What a secret manager's client throws may quote tokens or URLs, so nothing of it is passed on.
      return undefined;
    }
  }
}
