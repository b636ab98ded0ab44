import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';
import { askInTurn, askWho } from './ask.ts';

/** An instance that has an address only where its provider has one. */
function withoutEndpoint(name: string, provider: 'openai-compatible' | 'azure-openai') {
  return { name, provider, weight: 5, auth: {}, options: { model: `model-${name}` } };
}

describe('an instance that has no address', () => {
  it.each(['openai-compatible', 'azure-openai'] as const)(
    'loads with a warning and is never picked: %s',
    async (provider) => {
      const upstream = await startUpstream(echoModel());
      const app = await startApp({
        fallback_strategy: ['http_5xx'],
        instances: [withoutEndpoint('nowhere', provider), instance('here', upstream.url)],
      });
      expect(app.logs).toMatchObject([
        { level: 'warn', data: { path: expect.stringContaining('instances[0].override.endpoint') } },
      ]);
      expect(await askInTurn(app.url, 3)).toEqual(['here', 'here', 'here']);
    },
  );

  it('is no fallback either', async () => {
    const upstream = await startUpstream((_call, res) => answerJson(res, 500, { error: 'down' }));
    const app = await startApp({
      fallback_strategy: ['http_5xx'],
      instances: [instance('here', upstream.url), withoutEndpoint('nowhere', 'openai-compatible')],
    });
    expect(await askWho(app.url)).toBe('500');
    expect(app.finished[0]?.llm_attempts).toMatchObject([{ instance: 'here', status: 500 }]);
  });
});

describe("an instance that does not speak the client's protocol", () => {
  it('is skipped, and listed with the reason', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({
      instances: [
        instance('chat-only', upstream.url, { provider: 'deepseek', priority: 1 }),
        instance('both', upstream.url),
      ],
    });
    const response = await post(`${app.url}/v1/embeddings`, { input: 'Hi' });
    expect(await response.json()).toMatchObject({ model: 'model-both' });
    expect(app.finished[0]?.llm_attempts).toEqual([
      { instance: 'chat-only', skipped: 'protocol_not_supported' },
      { instance: 'both', status: 200, duration_ms: expect.any(Number) },
    ]);
    expect(app.finished[0]?.llm_instance).toBe('both');
  });

  it('is skipped as a fallback too, and the last answer stands', async () => {
    const upstream = await startUpstream((_call, res) => answerJson(res, 500, { error: 'down' }));
    const app = await startApp({
      fallback_strategy: ['http_5xx'],
      instances: [
        instance('both', upstream.url, { priority: 1 }),
        instance('chat-only', upstream.url, { provider: 'deepseek' }),
      ],
    });
    const response = await post(`${app.url}/v1/embeddings`, { input: 'Hi' });
    expect([response.status, await response.json()]).toEqual([500, { error: 'down' }]);
    expect(app.finished[0]?.llm_attempts).toMatchObject([
      { instance: 'both', status: 500 },
      { instance: 'chat-only', skipped: 'protocol_not_supported' },
    ]);
  });

  it('leaves 400 naming the protocols there are, where no instance speaks it', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({
      instances: ['a', 'b'].map((name) => instance(name, upstream.url, { provider: 'deepseek' })),
    });
    const response = await post(`${app.url}/v1/embeddings`, { input: 'Hi' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: 'protocol_not_supported',
        message: expect.stringMatching(/openai-embeddings.*openai-chat/),
        type: 'invalid_request_error',
      },
    });
    expect(upstream.calls).toEqual([]);
    expect(app.finished[0]).toMatchObject({
      llm_outcome: 'rejected',
      llm_instance: '',
      llm_attempts: [
        { instance: 'a', skipped: 'protocol_not_supported' },
        { instance: 'b', skipped: 'protocol_not_supported' },
      ],
    });
  });

  it("says so in Anthropic's own shape to a client of Anthropic's", async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    const response = await post(`${app.url}/v1/messages`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringContaining('openai-chat') },
    });
  });
});

describe('nothing left to pick', () => {
  it('answers 503 with a code and retry-after', async () => {
    const app = await startApp({ instances: [withoutEndpoint('nowhere', 'openai-compatible')] });
    const response = await post(app.url);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toMatchObject({
      error: { code: 'no_instance_available', type: 'server_error', message: expect.any(String) },
    });
    expect(app.finished[0]).toMatchObject({ llm_outcome: 'rejected', llm_attempts: [], llm_instance: '' });
  });

  it('serves again after an update brings an instance', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [withoutEndpoint('nowhere', 'openai-compatible')] });
    expect(await askWho(app.url)).toBe('503');
    app.middleware.update({ instances: [instance('here', upstream.url)] });
    expect(await askWho(app.url)).toBe('here');
  });
});
