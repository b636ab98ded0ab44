import { isHeaderValue } from '../config/header-value.ts';
import type { LoadedAuth } from '../config/loaded-config.ts';
import { hasSecretReference, type SecretStore } from '../config/references.ts';

/** What is injected into a request for one instance. */
export interface Credentials {
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Everything in it that must never be seen elsewhere, in every spelling it may come back in, longest first. */
  readonly secrets: readonly string[];
}

/**
 * At once where nothing refers to `$secret://`; else later, and rejects when the secret cannot be used: with a
 * `NoCredentialsError` where it never will be.
 */
export type ResolveCredentials = () => Credentials | Promise<Credentials>;

/** Behind a scheme (`Bearer …`, RFC 9110 §11.4) the token alone is a secret too. */
const SCHEME_AND_TOKEN = /^[A-Za-z][A-Za-z0-9-]* +(\S.*)$/;

function secretsIn(value: string): string[] {
  const token = SCHEME_AND_TOKEN.exec(value)?.[1];
  return token === undefined ? [value] : [value, token];
}

/** As it stands in a URL's query, both ways, and in JSON: an LLM's errors quote the request they are about. */
function spellings(secret: string): string[] {
  const inQuery = new URLSearchParams([['', secret]]).toString().slice(1);
  return [secret, inQuery, inQuery.replaceAll('+', '%20'), JSON.stringify(secret).slice(1, -1)];
}

type Pairs = readonly (readonly [string, string])[];

/** The secrets and what must not be seen of these values, in every spelling they may come back in, longest first. */
export function withSecrets(secrets: readonly string[], values: readonly string[]): readonly string[] {
  return [...new Set([...secrets, ...values.flatMap(secretsIn).flatMap(spellings)])]
    .filter((secret) => secret !== '')
    .sort((one, other) => other.length - one.length);
}

function toCredentials(headers: Pairs, query: Pairs): Credentials {
  const values = [...headers, ...query].map(([, value]) => value);
  return { headers, query, secrets: withSecrets([], values) };
}

/** The configuration has none that could be sent, and trying again will not change that. Its message holds no secret. */
export class NoCredentialsError extends Error {
  override readonly name = 'NoCredentialsError';
}

/** Looked-up values are checked here; those of the configuration were checked when it was loaded. */
function checkedCredentials(headers: Pairs, query: Pairs): Credentials {
  for (const [name, value] of headers) {
    if (!isHeaderValue(value)) {
      throw new NoCredentialsError(`The secret for the header ${name} cannot be sent in one`);
    }
  }
  return toCredentials(headers, query);
}

async function fillAll(pairs: Pairs, secrets: SecretStore): Promise<Pairs> {
  return Promise.all(pairs.map(async ([name, value]) => [name, await secrets.fill(value)] as const));
}

export function credentialsOf(auth: LoadedAuth, secrets: SecretStore): ResolveCredentials {
  const headers = Object.entries(auth.header).map(([name, value]) => [name.toLowerCase(), value] as const);
  const query = Object.entries(auth.query);
  if (![...headers, ...query].some(([, value]) => hasSecretReference(value))) {
    const credentials = toCredentials(headers, query);
    return () => credentials;
  }
  return async () => checkedCredentials(await fillAll(headers, secrets), await fillAll(query, secrets));
}
