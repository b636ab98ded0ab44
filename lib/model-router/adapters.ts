import type { Adapter } from '../config/loaded-model-router.ts';
import type { ProtocolName } from '../protocols/protocol.ts';
import type { Provider } from '../providers/provider.ts';

/** How upstreams of one protocol family are spoken to. */
export interface AdapterTraits extends Pick<Provider, 'dropsMembers'> {
  /** Behind the upstream's root, by protocol. `{model}` stands for the model's name upstream. */
  readonly suffixes: Readonly<Partial<Record<ProtocolName, string>>>;
  /** What `/v1` in the path of any other endpoint stands for, behind the root. */
  readonly base: string;
  /** The header that holds the key, and what is in front of it there; for chat, and for everything else. */
  readonly chatKey: KeyHeader;
  readonly key: KeyHeader;
  /** Headers of the client that go along without being asked for. */
  readonly clientHeaders: readonly string[];
  readonly defaultHeaders: Readonly<Record<string, string>>;
}

export interface KeyHeader {
  /** In lower case. */
  readonly name: string;
  readonly prefix: string;
}

const bearer: KeyHeader = { name: 'authorization', prefix: 'Bearer ' };

/** By the word that the configuration uses. */
export const adapters = {
  openai: {
    suffixes: {
      'openai-chat': '/chat/completions',
      'openai-responses': '/responses',
      'openai-embeddings': '/embeddings',
    },
    base: '',
    chatKey: bearer,
    key: bearer,
    clientHeaders: [],
    defaultHeaders: {},
  },
  // Its OpenAI-compatible chat wants a bearer (docs.anthropic.com/en/api/openai-sdk), its own API `x-api-key`.
  anthropic: {
    suffixes: { 'openai-chat': '/v1/chat/completions', 'anthropic-messages': '/v1/messages' },
    base: '/v1',
    chatKey: bearer,
    key: { name: 'x-api-key', prefix: '' },
    clientHeaders: ['anthropic-version', 'anthropic-beta'],
    defaultHeaders: { 'anthropic-version': '2023-06-01' },
  },
  'azure-openai': {
    suffixes: { 'openai-chat': '/openai/deployments/{model}/chat/completions' },
    base: '/openai',
    dropsMembers: ['model'],
    chatKey: { name: 'api-key', prefix: '' },
    key: { name: 'api-key', prefix: '' },
    clientHeaders: [],
    defaultHeaders: {},
  },
} satisfies Record<Adapter, AdapterTraits>;
