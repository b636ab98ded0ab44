import { describe, expect, it } from 'vitest';
import { answerJson, chatAnswer, echoModel, startUpstream } from '../support/upstream.ts';
import { alias, at, messages, servedBy, startRouter, type TargetConfig, target } from './router-app.ts';

type Model = Partial<TargetConfig['model']>;
type Key = Partial<TargetConfig['key']>;

async function startOne(model: Model = {}, key: Key = {}) {
  const upstream = await startUpstream(echoModel());
  const app = await startRouter({ targets: [target('one', upstream, model, key)] });
  const sent = (): unknown => JSON.parse(upstream.calls.at(-1)?.body ?? '');
  return { upstream, app, sent };
}

/** The same with an `api_base` that is made from the upstream's origin. */
async function startAt(apiBase: (origin: string) => string, model: Model = {}, key: Key = {}) {
  const upstream = await startUpstream(echoModel());
  const app = await startRouter({
    targets: [target('one', upstream, model, { ...key, api_base: apiBase(upstream.url) })],
  });
  return { upstream, app };
}

describe('what is sent upstream', () => {
  it('names the model as the vendor does, and else is what the caller wrote, byte for byte', async () => {
    const { app, upstream } = await startOne({ model_name: 'gpt-4o' });
    const body = '{ "x":1.50, "model" : "one","messages":[{"role":"user","content":"H\\u0069"}], "n":2 }';
    await app.post('/v1/chat/completions', body);
    expect(upstream.calls[0]?.body).toBe(body.replace('"one"', '"gpt-4o"'));
  });

  it('carries the provider key and nothing of the caller but what every client may say', async () => {
    const { app, upstream } = await startOne();
    await app.ask('one', {}, { 'x-custom': 'yes', 'openai-organization': 'org', accept: 'application/json' });
    expect(upstream.calls[0]?.headers).toMatchObject({
      authorization: 'Bearer sk-one',
      'content-type': 'application/json',
      accept: 'application/json',
    });
    expect(upstream.calls[0]?.headers['x-custom']).toBeUndefined();
    expect(upstream.calls[0]?.headers['openai-organization']).toBeUndefined();
  });

  it('asks for an answer that is not compressed, in whose events the model can be renamed', async () => {
    const { app, upstream } = await startOne();
    await app.ask('one', { stream: true }, { 'accept-encoding': 'gzip' });
    expect(upstream.calls[0]?.headers['accept-encoding']).toBe('identity');
  });

  it("carries each target's own model and key when the first has failed", async () => {
    const [first, second] = [
      await startUpstream((_call, res) => answerJson(res, 500, {})),
      await startUpstream(echoModel()),
    ];
    const app = await startRouter({
      targets: [target('first', first), target('second', second)],
      aliases: [alias('chat', ['first', 'second'])],
    });
    await app.ask('chat');
    expect(first.calls[0]?.headers.authorization).toBe('Bearer sk-first');
    expect(second.calls[0]?.headers.authorization).toBe('Bearer sk-second');
    const { rawHeaders, body } = second.calls[0] ?? {};
    expect(JSON.stringify({ rawHeaders, body })).not.toContain('-first');
    expect(at(JSON.parse(second.calls[0]?.body ?? ''), 'model')).toBe('upstream-second');
  });

  it('takes the key from secret as well as from api_key', async () => {
    const upstream = await startUpstream(echoModel());
    const { model, key } = target('one', upstream);
    const { api_key: secret, ...rest } = key;
    const app = await startRouter({
      targets: [{ model, key: { ...rest, ...(secret !== undefined && { secret }) } }],
    });
    await app.ask('one');
    expect(upstream.calls[0]?.headers.authorization).toBe('Bearer sk-one');
  });
});

describe('api_base', () => {
  it.each([
    ['', '/chat/completions'],
    ['/', '/chat/completions'],
    ['/v1', '/v1/chat/completions'],
    ['/v1///', '/v1/chat/completions'],
    ['/v1/chat/completions', '/v1/chat/completions'],
    ['/v1/chat/completions/', '/v1/chat/completions'],
    ['/v1/embeddings', '/v1/chat/completions'],
    ['/openai/v4', '/openai/v4/chat/completions'],
    ['/v1?tenant=7', '/v1/chat/completions?tenant=7'],
  ])('ending in %s leads to %s', async (end, url) => {
    const { app, upstream } = await startAt((origin) => `  ${origin}${end} `);
    expect((await app.ask('one')).status).toBe(200);
    expect(upstream.calls[0]?.url).toBe(url);
  });

  it.each([
    ['', '/v1/messages'],
    ['/v1', '/v1/messages'],
    ['/v1/messages', '/v1/messages'],
    ['/proxy', '/proxy/v1/messages'],
  ])('ending in %s leads to %s for Anthropic', async (end, url) => {
    const { app, upstream } = await startAt((origin) => origin + end, { provider: 'anthropic' });
    await app.post('/v1/messages', { model: 'one', max_tokens: 10, messages });
    expect(upstream.calls[0]?.url).toBe(url);
  });

  it.each([
    ['no address of the vendor is known', { api_base: '' }, 'nobody-knows'],
    ['there is no key', { api_key: '' }, 'openai'],
  ])('is no matter where %s: a 400, and nothing is sent', async (_why, key, provider) => {
    const { app, upstream } = await startOne({ provider }, key);
    const answer = await app.ask('one');
    expect(answer.status).toBe(400);
    expect(at(answer.json, 'error')).toMatchObject({
      type: 'invalid_request_error',
      code: 'invalid_request_error',
    });
    expect(upstream.calls).toEqual([]);
  });

  it('is missing on the first target: a 400 too, since the next one would hide the mistake', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [target('first', upstream, {}, { api_key: '' }), target('second', upstream)],
      aliases: [alias('chat', ['first', 'second'])],
    });
    expect((await app.ask('chat')).status).toBe(400);
    expect(upstream.calls).toEqual([]);
  });
});

describe('the adapter', () => {
  const anthropicAnswer = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [{ type: 'text', text: 'Hello' }],
    usage: { input_tokens: 3, output_tokens: 2 },
  };

  it('anthropic speaks the Messages API with x-api-key and a version', async () => {
    const upstream = await startUpstream((_call, res) => answerJson(res, 200, anthropicAnswer));
    const app = await startRouter({
      targets: [target('one', upstream, { provider: 'anthropic' }, { api_base: upstream.url })],
      aliases: [alias('chat', ['one'])],
    });
    const answer = await app.post('/v1/messages', { model: 'chat', max_tokens: 10, messages });
    expect(answer.json).toEqual({ ...anthropicAnswer, model: 'chat' });
    expect(upstream.calls[0]?.headers).toMatchObject({
      'x-api-key': 'sk-one',
      'anthropic-version': '2023-06-01',
    });
    expect(upstream.calls[0]?.headers.authorization).toBeUndefined();
    expect(at(JSON.parse(upstream.calls[0]?.body ?? ''), 'model')).toBe('upstream-one');
  });

  it("anthropic lets the caller's own version and beta features through", async () => {
    const { app, upstream } = await startOne({}, { adapter: 'anthropic' });
    const headers = { 'anthropic-version': '2024-10-22', 'anthropic-beta': 'tools-2024' };
    await app.post('/v1/messages', { model: 'one', max_tokens: 10, messages }, headers);
    expect(upstream.calls[0]?.headers).toMatchObject(headers);
  });

  it('anthropic speaks OpenAI chat with a bearer token', async () => {
    const { app, upstream } = await startAt((origin) => origin, { provider: 'anthropic' });
    expect((await app.ask('one')).status).toBe(200);
    expect(upstream.calls[0]?.url).toBe('/v1/chat/completions');
    expect(upstream.calls[0]?.headers.authorization).toBe('Bearer sk-one');
  });

  it('azure-openai puts the model into the path and the key into api-key', async () => {
    const { app, upstream } = await startAt((origin) => `${origin}?api-version=2024-10-21`, {
      provider: 'azure-openai',
      model_name: 'gpt 4o',
    });
    expect((await app.ask('one')).status).toBe(200);
    const [call] = upstream.calls;
    expect(call?.url).toBe('/openai/deployments/gpt%204o/chat/completions?api-version=2024-10-21');
    expect(call?.headers['api-key']).toBe('sk-one');
    expect(call?.headers.authorization).toBeUndefined();
    expect(at(JSON.parse(call?.body ?? ''), 'model')).toBeUndefined();
  });

  it('openai has responses and embeddings as well', async () => {
    const { app, upstream } = await startOne();
    await app.post('/v1/responses', { model: 'one', input: 'Hi' });
    await app.post('/v1/embeddings', { model: 'one', input: 'Hi' });
    expect(upstream.calls.map(({ url }) => url)).toEqual(['/v1/responses', '/v1/embeddings']);
  });

  it('is passed over where it does not speak the protocol', async () => {
    const { app } = await startOne();
    const answer = await app.post('/v1/messages', { model: 'one', max_tokens: 10, messages });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });

  it('is passed over for the next target that speaks the protocol', async () => {
    const [openai, anthropic] = [
      await startUpstream(echoModel()),
      await startUpstream((_call, res) => answerJson(res, 200, anthropicAnswer)),
    ];
    const app = await startRouter({
      targets: [
        target('openai', openai),
        target('anthropic', anthropic, { provider: 'anthropic' }, { api_base: anthropic.url }),
      ],
      aliases: [alias('chat', ['openai', 'anthropic'], { max_fallbacks: 0 })],
    });
    expect((await app.post('/v1/messages', { model: 'chat', max_tokens: 10, messages })).status).toBe(200);
    expect(openai.calls).toEqual([]);
  });
});

describe('an alias', () => {
  it.each(['/v1/embeddings', '/v1/completions'])('is not taken by %s', async (path) => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({ targets: [target('one', upstream)], aliases: [alias('chat', ['one'])] });
    expect((await app.post(path, { model: 'chat', input: 'Hi' })).status).toBe(400);
    expect((await app.post(path, { model: 'one', input: 'Hi' })).status).toBe(200);
    expect(upstream.calls.map(({ url }) => url)).toEqual([path]);
  });
});

describe('what a provider key changes in a request', () => {
  const request = (changes: NonNullable<Key['request']>): Key => ({ request: changes });

  it('default_headers are sent', async () => {
    const { app, upstream } = await startOne({}, request({ default_headers: { 'X-Tenant': 't1' } }));
    await app.ask('one', {}, { 'x-tenant': 'forged' });
    expect(upstream.calls[0]?.headers['x-tenant']).toBe('t1');
  });

  it('forward_client_headers lets those headers through, ahead of the default ones, and no others', async () => {
    const { app, upstream } = await startOne(
      {},
      request({
        forward_client_headers: ['x-team-*', 'x-tenant'],
        default_headers: { 'x-tenant': 't1' },
      }),
    );
    await app.ask('one', {}, { 'x-team-name': 'a', 'X-Tenant': 't2', 'x-other': 'b' });
    expect(upstream.calls[0]?.headers).toMatchObject({ 'x-team-name': 'a', 'x-tenant': 't2' });
    expect(upstream.calls[0]?.headers['x-other']).toBeUndefined();
  });

  it('strip_headers keeps them out all the same', async () => {
    const { app, upstream } = await startOne(
      {},
      { request: { forward_client_headers: ['*'] }, strip_headers: ['x-secret'] },
    );
    await app.ask('one', {}, { 'x-secret': 'a', 'x-open': 'b', authorization: 'Bearer caller' });
    expect(upstream.calls[0]?.headers).toMatchObject({ 'x-open': 'b', authorization: 'Bearer sk-one' });
    expect(upstream.calls[0]?.headers['x-secret']).toBeUndefined();
  });

  it('default_body_fields are added where the body lacks them', async () => {
    const { app, sent } = await startOne({}, request({ default_body_fields: { top_p: 0.5, seed: 1 } }));
    await app.ask('one', { seed: 7 });
    expect(sent()).toMatchObject({ top_p: 0.5, seed: 7 });
  });

  it('param_renames gives fields another name', async () => {
    const { app, sent } = await startOne({}, request({ param_renames: { max_tokens: 'max_output' } }));
    await app.ask('one', { max_tokens: 5 });
    expect(sent()).toMatchObject({ max_output: 5 });
    expect(sent()).not.toHaveProperty('max_tokens');
  });

  it.each([
    [3, 1],
    [-1, 0.2],
    [0.7, 0.7],
  ])('param_constraints make of a temperature of %d one of %d', async (asked, temperature) => {
    const { app, sent } = await startOne(
      {},
      request({ param_constraints: { temperature_min: 0.2, temperature_max: 1 } }),
    );
    await app.ask('one', { temperature: asked });
    expect(sent()).toMatchObject({ temperature });
  });

  it('param_constraints hold under the new name of a temperature', async () => {
    const { app, sent } = await startOne(
      {},
      request({
        param_constraints: { temperature_max: 1 },
        param_renames: { temperature: 'heat', model: 'engine' },
      }),
    );
    await app.ask('one', { temperature: 3 });
    expect(sent()).toEqual({ engine: 'upstream-one', messages, heat: 1 });
  });

  it('param_renames also renames default_body_fields', async () => {
    const { app, sent } = await startOne(
      {},
      request({ default_body_fields: { max_tokens: 5 }, param_renames: { max_tokens: 'max_output' } }),
    );
    await app.ask('one');
    expect(sent()).toMatchObject({ max_output: 5 });
    expect(sent()).not.toHaveProperty('max_tokens');
  });

  it('param_constraints add no temperature', async () => {
    const { app, sent } = await startOne({}, request({ param_constraints: { temperature_min: 0.2 } }));
    await app.ask('one');
    expect(sent()).not.toHaveProperty('temperature');
  });
});

describe('allowed_cidrs', () => {
  const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });

  it.each([
    ['10.1.2.3', 200],
    ['::ffff:10.1.2.3', 200],
    ['11.1.2.3', 403],
    ['nonsense', 403],
  ])('of a direct model: %s gets %i', async (address, status) => {
    const { app, upstream } = await startOne({ allowed_cidrs: ['10.0.0.0/8'] });
    const answer = await app.ask('one', {}, from(address));
    expect(answer.status).toBe(status);
    expect(upstream.calls).toHaveLength(status === 200 ? 1 : 0);
    if (status === 403) expect(at(answer.json, 'error', 'code')).toBe('ip_restricted');
  });

  it('of targets decide which of them a caller reaches; none left is the same 403', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [
        target('ten', upstream, { allowed_cidrs: ['10.0.0.0/8'] }),
        target('eleven', upstream, { allowed_cidrs: ['10.0.0.0/8', '11.0.0.0/8'] }),
      ],
      aliases: [alias('chat', ['ten', 'eleven'], { max_fallbacks: 0 })],
    });
    expect(servedBy(await app.ask('chat', {}, from('10.0.0.1')))).toBe('ten');
    expect(servedBy(await app.ask('chat', {}, from('11.0.0.1')))).toBe('eleven');
    const refused = await app.ask('chat', {}, from('12.0.0.1'));
    expect(refused.status).toBe(403);
    expect(at(refused.json, 'error')).toMatchObject({ type: 'permission_denied', code: 'ip_restricted' });
    expect(upstream.calls).toHaveLength(2);
  });
});

describe('rate_limit', () => {
  it('of a direct model is a 429 with retry-after', async () => {
    const { app, upstream } = await startOne({ rate_limit: { rpm: 2 } });
    const statuses = [await app.ask('one'), await app.ask('one'), await app.ask('one')];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(Number(statuses[2]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(upstream.calls).toHaveLength(2);
  });

  it('of tokens counts what the upstream reports', async () => {
    const { app } = await startOne({ rate_limit: { tpm: 32 } });
    const answers = [await app.ask('one'), await app.ask('one'), await app.ask('one')];
    // Each answer uses 31 tokens, the second one more than were left.
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  });

  it('of requests under way frees a place when one has ended', async () => {
    let release = (): void => {};
    const begun = new Promise<void>((resolve) => {
      release = resolve;
    });
    let answer = (): void => {};
    const upstream = await startUpstream((_call, res) => {
      answer = () => answerJson(res, 200, chatAnswer('m'));
      release();
    });
    const app = await startRouter({ targets: [target('one', upstream, { rate_limit: { concurrency: 1 } })] });
    const first = app.ask('one');
    await begun;
    expect((await app.ask('one')).status).toBe(429);
    answer();
    expect((await first).status).toBe(200);
    const third = app.ask('one');
    await expect.poll(() => upstream.calls.length).toBe(2);
    answer();
    expect((await third).status).toBe(200);
  });

  it('of targets decides which of them is asked; all used up is a 429', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [
        target('first', upstream, { rate_limit: { rpm: 1 } }),
        target('second', upstream, { rate_limit: { rpm: 1 } }),
      ],
      aliases: [alias('chat', ['first', 'second'], { max_fallbacks: 0 })],
    });
    expect(servedBy(await app.ask('chat'))).toBe('first');
    expect(servedBy(await app.ask('chat'))).toBe('second');
    const third = await app.ask('chat');
    expect(third.status).toBe(429);
    expect(at(third.json, 'error', 'type')).toBe('rate_limit_exceeded');
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
