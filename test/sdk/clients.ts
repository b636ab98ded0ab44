import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { onTestFinished } from 'vitest';
import { type MockLlm, type MockLlmOptions, startMockLlm } from '../../examples/mock-llm.ts';
import { type App, type AppOptions, type InstanceConfig, startApp } from '../support/app.ts';

/** What the caller holds: the host application's business, not the LLM's. */
export const CALLERS_KEY = 'sk-of-the-caller';

export async function startMock(options: MockLlmOptions = {}): Promise<MockLlm> {
  const mock = await startMockLlm(options);
  onTestFinished(() => mock.close());
  return mock;
}

/** An instance that leaves the model to the caller. */
export function openaiInstance(
  name: string,
  endpoint: string,
  more: Partial<InstanceConfig> = {},
): InstanceConfig {
  const auth = { header: { Authorization: `Bearer key-${name}` } };
  return { name, provider: 'openai', weight: 1, auth, override: { endpoint }, ...more };
}

export function anthropicInstance(
  name: string,
  endpoint: string,
  more: Partial<InstanceConfig> = {},
): InstanceConfig {
  return openaiInstance(name, endpoint, {
    provider: 'anthropic',
    auth: { header: { 'x-api-key': `key-${name}` } },
    ...more,
  });
}

/** Instances that are tried in the order in which they stand here. */
export function inOrder(
  ...instances: [InstanceConfig, ...InstanceConfig[]]
): [InstanceConfig, ...InstanceConfig[]] {
  const [first, ...others] = instances;
  return [
    { ...first, priority: instances.length },
    ...others.map((instance, index) => ({ ...instance, priority: others.length - index })),
  ];
}

type Config = Parameters<typeof startApp>[0];
export type Clients = App & { readonly openai: OpenAI; readonly anthropic: Anthropic };

/** The two official SDKs with their own settings, except for where they send to. */
export async function startClients(config: Config, options: AppOptions = {}): Promise<Clients> {
  const app = await startApp(config, { mount: '/ai', ...options });
  return {
    ...app,
    openai: new OpenAI({ baseURL: `${app.url}/ai/v1`, apiKey: CALLERS_KEY }),
    anthropic: new Anthropic({ baseURL: `${app.url}/ai`, apiKey: CALLERS_KEY }),
  };
}

/** Everything that a stream or a paged list holds. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** What the promise is rejected with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}
