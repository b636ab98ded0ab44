import { ConfigError } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import type { LoadedConsumer, LoadedKeyAuth } from './loaded-key-auth.ts';
import { didYouMean } from './suggest.ts';

/**
 * Where key auth and consumers meet.
 *
 * @throws {ConfigError} where `anonymous_consumer` names nobody
 */
export function requireAnonymousConsumer(
  { anonymousConsumer: name }: LoadedKeyAuth,
  consumers: readonly Pick<LoadedConsumer, 'username'>[],
): void {
  const usernames = consumers.map(({ username }) => username);
  if (name === undefined || usernames.includes(name)) return;
  const path = 'anonymous_consumer';
  const hint = didYouMean(name, usernames);
  const message = `is ${describeValue(name, [path])}, must be the username of one of the consumers${hint}`;
  throw new ConfigError([{ path, message }]);
}
