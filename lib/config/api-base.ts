import { providers } from '../providers/index.ts';
import type { Provider } from '../providers/provider.ts';
import type { Adapter } from './loaded-model-router.ts';

/** Where an upstream's endpoints lie. */
export interface ApiBase {
  /** Origin and path, without a trailing slash. */
  readonly root: string;
  /** Sent along with every request, without the `?`; may be empty. */
  readonly query: string;
}

/** What an adapter appends to the root in its main protocol, and that protocol. */
const ENDPOINTS = {
  openai: { protocol: 'openai-chat', path: '/chat/completions' },
  anthropic: { protocol: 'anthropic-messages', path: '/v1/messages' },
} as const;

/** Ends of paths that people paste along with the root; the longer of two that fit comes first. */
const PASTED: Readonly<Record<Adapter, readonly string[]>> = {
  openai: [
    '/chat/completions',
    '/completions',
    '/responses',
    '/embeddings',
    '/models',
    '/moderations',
    '/rerank',
    '/images/generations',
    '/audio/speech',
    '/audio/transcriptions',
    '/audio/translations',
  ],
  anthropic: ['/v1/messages/count_tokens', '/v1/messages', '/v1/chat/completions', '/v1/models', '/v1'],
  'azure-openai': ['/chat/completions', '/completions', '/responses', '/embeddings'],
};

/** `URL` alone would also take "http:host" and "http:\\host". */
const HTTP_URL = /^https?:\/\//i;

/** The deployment in an Azure address stands for a model, which the configuration names elsewhere. */
const AZURE_DEPLOYMENT = /\/openai\/deployments(?:\/[^/]+)?$/;

const OPENAI_ORIGIN = 'https://api.openai.com';

const ADAPTERS: ReadonlyMap<string, Adapter> = new Map([
  ['anthropic', 'anthropic'],
  ['azure-openai', 'azure-openai'],
  ['azure', 'azure-openai'],
]);

/** What a vendor speaks; one that is not known is taken for one that speaks as OpenAI does. */
export function adapterOf(vendor: string): Adapter {
  return ADAPTERS.get(vendor) ?? 'openai';
}

function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}

function withoutEndpoint(path: string, adapter: Adapter): string {
  const pasted = PASTED[adapter].find((end) => path.endsWith(end));
  return pasted === undefined ? path : withoutSlashes(path.slice(0, -pasted.length));
}

function rootPath({ origin, pathname }: URL, adapter: Adapter): string {
  const path = withoutEndpoint(withoutSlashes(pathname), adapter);
  if (adapter === 'azure-openai') return withoutSlashes(path.replace(AZURE_DEPLOYMENT, ''));
  return adapter === 'openai' && path === '' && origin === OPENAI_ORIGIN ? '/v1' : path;
}

/** What is wrong with an `api_base`; blanks around it are no matter, and nothing but blanks is as if it were absent. */
export function apiBaseFlaw(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (!HTTP_URL.test(trimmed) || !URL.canParse(trimmed)) {
    return 'must be an http or https URL, such as "https://llm.example.com/v1"';
  }
  const { username, password, hash } = new URL(trimmed);
  if (username !== '' || password !== '') {
    return 'must not hold a user name or password; credentials belong in api_key';
  }
  return hash === '' ? undefined : 'must not hold a fragment (#…)';
}

/**
 * The root that somebody means with an `api_base` without flaws: without trailing slashes and without the endpoint
 * that they may have pasted along, for OpenAI's own address with its version, for Anthropic's protocol without.
 */
export function readApiBase(text: string, adapter: Adapter): ApiBase | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const url = new URL(trimmed);
  return { root: url.origin + rootPath(url, adapter), query: url.search.slice(1) };
}

/** The root of a vendor whose address is known. Nobody else's key ever goes there. */
export function builtInRoot(vendor: string, adapter: Adapter): string | undefined {
  if (adapter === 'azure-openai') return undefined;
  const provider = new Map<string, Provider>(Object.entries(providers)).get(vendor);
  const { protocol, path: end } = ENDPOINTS[adapter];
  const path = provider?.paths[protocol];
  if (provider?.origin === undefined || path === undefined || !path.endsWith(end)) return undefined;
  return provider.origin + path.slice(0, -end.length);
}
