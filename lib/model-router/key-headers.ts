import type { LoadedProviderKey } from '../config/loaded-model-router.ts';
import { hasSecretReference } from '../config/references.ts';

/** Anything shorter is no secret: hidden wherever it stands, it would tear holes into other words. */
const SHORTEST_SECRET = 8;

/** These say nothing secret: taken for one, `application/json` would take every answer its type. In lower case. */
const PUBLIC_NAMES: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-type',
  'user-agent',
]);

function maySecretBe(name: string, value: string): boolean {
  if (hasSecretReference(value)) return true;
  return value.length >= SHORTEST_SECRET && !PUBLIC_NAMES.has(name);
}

type Headers = Readonly<Record<string, string>>;

function pick({ request }: LoadedProviderKey, isWanted: (name: string, value: string) => boolean): Headers {
  return Object.fromEntries(
    Object.entries(request.defaultHeaders).filter(([name, value]) => isWanted(name, value)),
  );
}

/** The headers of a provider key that may be seen. */
export function plainHeaders(key: LoadedProviderKey): Headers {
  return pick(key, (name, value) => !maySecretBe(name, value));
}

/** Those that are kept from logs and clients, as the key itself is. */
export function secretHeaders(key: LoadedProviderKey): Headers {
  return pick(key, maySecretBe);
}
