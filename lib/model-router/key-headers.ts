import type { LoadedProviderKey } from '../config/loaded-model-router.ts';
import { hasSecretReference } from '../config/references.ts';

/** Anything shorter is no secret: hidden wherever it stands, it would tear holes into other words. */
const SHORTEST_SECRET = 8;

function maySecretBe(value: string): boolean {
  return value.length >= SHORTEST_SECRET || hasSecretReference(value);
}

type Headers = Readonly<Record<string, string>>;

function pick({ request }: LoadedProviderKey, isWanted: (value: string) => boolean): Headers {
  return Object.fromEntries(Object.entries(request.defaultHeaders).filter(([, value]) => isWanted(value)));
}

/** The headers of a provider key that may be seen. */
export function plainHeaders(key: LoadedProviderKey): Headers {
  return pick(key, (value) => !maySecretBe(value));
}

/** Those that are kept from logs and clients, as the key itself is. */
export function secretHeaders(key: LoadedProviderKey): Headers {
  return pick(key, maySecretBe);
}
