import type { IncomingHttpHeaders } from 'node:http';
import type { LoadedCaller } from '../config/loaded-model-router.ts';
import type { CallerIndex } from './caller-index.ts';
import { refusal } from './refusals.ts';

/**
 * Who sends a request.
 *
 * @throws GatewayError 401 `invalid_api_key`, `api_key_disabled`, `api_key_expired`
 */
export function authenticate(callers: CallerIndex, headers: IncomingHttpHeaders): LoadedCaller {
  const found = callers.findCaller(headers, Date.now());
  switch (found.kind) {
    case 'caller':
      return found.caller;
    case 'missing':
      throw refusal(401, 'invalid_api_key', 'The request has no API key: Authorization: Bearer …');
    case 'unknown':
      throw refusal(401, 'invalid_api_key', 'The API key is not known.');
    case 'disabled':
      throw refusal(401, 'invalid_api_key', 'The API key is disabled.', { code: 'api_key_disabled' });
    case 'expired':
      throw refusal(401, 'invalid_api_key', 'The API key has expired.', { code: 'api_key_expired' });
  }
}
