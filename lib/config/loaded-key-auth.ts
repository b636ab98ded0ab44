import type { LoadedRateLimiting } from './loaded-rate-limiting.ts';

/** A checked `key-auth` configuration, its defaults filled in. */
export interface LoadedKeyAuth {
  /** The header that holds the key, in lower case. */
  readonly header: string;
  /** The query parameter that holds it where the header is missing. */
  readonly query: string;
  readonly hideCredentials: boolean;
  readonly realm: string;
  /** The name of a consumer that stands for everybody without a valid key. */
  readonly anonymousConsumer?: string;
}

/** Somebody who may call, and how much. */
export interface LoadedConsumer {
  /** Unique among the consumers. */
  readonly username: string;
  /**
   * Every key that proves to be this consumer, those of `credentials` included. `$env://` references are resolved;
   * `$secret://` ones are still in the text, for `SecretStore.fill`. No key is anybody else's as well.
   */
  readonly keys: readonly string[];
  /** The consumer's own limits, which replace those of the route. */
  readonly rateLimiting?: LoadedRateLimiting;
}
