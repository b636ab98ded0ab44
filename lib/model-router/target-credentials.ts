import type { LoadedProviderKey } from '../config/loaded-model-router.ts';
import type { SecretStore } from '../config/references.ts';
import { credentialsOf, type ResolveCredentials } from '../upstream/credentials.ts';
import type { KeyHeader } from './adapters.ts';
import { PUBLIC_HEADERS } from './public-headers.ts';

/** A key that is not there cannot be sent: the request is refused. */
function missing(): Promise<never> {
  return Promise.reject(new Error('The provider key has no secret, or no address'));
}

/** What is injected into requests that go out with a provider key: its own headers may be secrets as well. */
export function targetCredentials(
  { apiKey, apiBase, request }: LoadedProviderKey,
  header: KeyHeader,
  secrets: SecretStore,
): ResolveCredentials {
  if (apiKey === undefined || apiKey === '' || apiBase === undefined) return missing;
  const injected = { ...request.defaultHeaders, [header.name]: `${header.prefix}${apiKey}` };
  return credentialsOf({ header: injected, query: {} }, secrets, PUBLIC_HEADERS);
}
