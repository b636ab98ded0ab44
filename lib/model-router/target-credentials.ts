import type { LoadedProviderKey } from '../config/loaded-model-router.ts';
import type { SecretStore } from '../config/references.ts';
import { credentialsOf, NoCredentialsError, type ResolveCredentials } from '../upstream/credentials.ts';
import type { KeyHeader } from './adapters.ts';
import { secretHeaders } from './key-headers.ts';
import { keyQuery } from './key-query.ts';

/** A key that is not there cannot be sent: the request is refused. */
function missing(): Promise<never> {
  return Promise.reject(new NoCredentialsError('The provider key has no secret, or no address'));
}

/** What is injected into requests that go out with a provider key: its own headers may be secrets as well. */
export function targetCredentials(
  providerKey: LoadedProviderKey,
  header: KeyHeader,
  secrets: SecretStore,
): ResolveCredentials {
  const { apiKey, apiBase } = providerKey;
  if (apiKey === undefined || apiKey === '' || apiBase === undefined) return missing;
  const injected = { ...secretHeaders(providerKey), [header.name]: `${header.prefix}${apiKey}` };
  return credentialsOf({ header: injected, query: keyQuery(providerKey.query).secret }, secrets);
}
