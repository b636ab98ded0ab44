import type { Logger } from '../host.ts';
import { checkConfig, takeCopy } from './check-config.ts';
import type { LoadedKeyAuth } from './loaded-key-auth.ts';
import { forms } from './schemas.ts';

/**
 * Checks what somebody wrote for `key-auth` of a route, without changing it. Whether its `anonymous_consumer` is a
 * consumer, `requireAnonymousConsumer` says.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export function loadKeyAuth(input: unknown, logger: Logger): LoadedKeyAuth {
  const checked = checkConfig(takeCopy(input), forms.keyAuth(), [], logger);
  const { anonymous_consumer } = checked;
  return Object.freeze({
    header: checked.header.toLowerCase(),
    query: checked.query,
    hideCredentials: checked.hide_credentials,
    realm: checked.realm,
    ...(anonymous_consumer !== undefined && { anonymousConsumer: anonymous_consumer }),
  });
}
