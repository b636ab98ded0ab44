import { expect, it } from 'vitest';
import { type InstanceConfig, instance, post, startApp } from '../support/app.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';

type Provider = InstanceConfig['provider'];

const PATHS = {
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  'openai-embeddings': '/v1/embeddings',
  'anthropic-messages': '/v1/messages',
};

/** What `override.llm_options.max_tokens` is called, and which spellings of the client's go. */
const rows: readonly {
  provider: Provider;
  protocol: keyof typeof PATHS;
  field: string | undefined;
  rivals: readonly string[];
}[] = [
  { provider: 'openai', protocol: 'openai-chat', field: 'max_completion_tokens', rivals: ['max_tokens'] },
  { provider: 'openai', protocol: 'openai-responses', field: 'max_output_tokens', rivals: [] },
  { provider: 'openai', protocol: 'openai-embeddings', field: undefined, rivals: [] },
  {
    provider: 'openai-compatible',
    protocol: 'openai-chat',
    field: 'max_tokens',
    rivals: ['max_completion_tokens'],
  },
  { provider: 'openai-compatible', protocol: 'openai-responses', field: 'max_output_tokens', rivals: [] },
  { provider: 'openai-compatible', protocol: 'openai-embeddings', field: undefined, rivals: [] },
  { provider: 'deepseek', protocol: 'openai-chat', field: 'max_tokens', rivals: ['max_completion_tokens'] },
  { provider: 'aimlapi', protocol: 'openai-chat', field: 'max_tokens', rivals: ['max_completion_tokens'] },
  { provider: 'anthropic', protocol: 'openai-chat', field: 'max_tokens', rivals: ['max_completion_tokens'] },
  { provider: 'anthropic', protocol: 'anthropic-messages', field: 'max_tokens', rivals: [] },
  {
    provider: 'azure-openai',
    protocol: 'openai-chat',
    field: 'max_tokens',
    rivals: ['max_completion_tokens'],
  },
  { provider: 'openrouter', protocol: 'openai-chat', field: 'max_tokens', rivals: ['max_completion_tokens'] },
  { provider: 'gemini', protocol: 'openai-chat', field: 'max_completion_tokens', rivals: ['max_tokens'] },
];

const SPELLINGS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'];

async function limitsSent(
  { provider, protocol }: (typeof rows)[number],
  client: Readonly<Record<string, number>>,
  options: Readonly<Record<string, number>> = {},
): Promise<Record<string, unknown>> {
  const upstream = await startUpstream(echoModel());
  const override = { endpoint: upstream.url, llm_options: { max_tokens: 100 } };
  const app = await startApp({ instances: [instance('a', upstream.url, { provider, options, override })] });
  const content =
    protocol.endsWith('chat') || protocol.endsWith('messages') ? { messages: [] } : { input: 'x' };
  await post(`${app.url}${PATHS[protocol]}`, { ...content, ...client });
  const body: unknown = JSON.parse(upstream.calls[0]?.body ?? '');
  return Object.fromEntries(Object.entries(Object(body)).filter(([name]) => SPELLINGS.includes(name)));
}

it.each(rows)('llm_options.max_tokens is $field to $provider in $protocol', async (row) => {
  const expected = row.field === undefined ? {} : { [row.field]: 100 };
  expect(await limitsSent(row, {})).toEqual(expected);
});

it.each(rows.filter((row) => row.field !== undefined))(
  "overwrites the client's limit, and its rivals go, for $provider in $protocol",
  async (row) => {
    const { field = '', rivals } = row;
    const client = Object.fromEntries([field, ...rivals].map((name) => [name, 5]));
    expect(await limitsSent(row, client)).toEqual({ [field]: 100 });
    expect(await limitsSent(row, {}, client)).toEqual({ [field]: 100 });
  },
);

it.each(rows.filter((row) => row.field === undefined))(
  'leaves a body of $protocol alone for $provider',
  async (row) => {
    expect(await limitsSent(row, { max_tokens: 5 })).toEqual({ max_tokens: 5 });
  },
);
