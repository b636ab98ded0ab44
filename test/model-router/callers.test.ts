import { describe, expect, it, vi } from 'vitest';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { alias, at, caller, messages, type RouterParts, startRouter, target } from './router-app.ts';

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

async function startWith(keys: RouterParts['api_keys'], more: Parameters<typeof alias>[3] = {}) {
  const upstream = await startUpstream(echoModel());
  const app = await startRouter({
    targets: [target('one', upstream)],
    aliases: [alias('chat', ['one'], {}, more)],
    ...(keys !== undefined && { api_keys: keys }),
  });
  return { app, upstream };
}

describe('a caller without a valid key', () => {
  it.each([
    ['no credentials', {}, 'invalid_api_key'],
    ['another scheme', { authorization: 'Basic c2stZ29vZA==' }, 'invalid_api_key'],
    ['an empty token', { authorization: 'Bearer ' }, 'invalid_api_key'],
    ['a key that nobody has', bearer('sk-nobody'), 'invalid_api_key'],
    ['a disabled key', bearer('sk-disabled'), 'api_key_disabled'],
    ['an expired key', bearer('sk-expired'), 'api_key_expired'],
  ])('is turned away with %s, and no upstream hears of it', async (_what, headers, code) => {
    const { app, upstream } = await startWith([
      caller('sk-good', ['*']),
      caller('sk-disabled', ['*'], { disabled: true }),
      caller('sk-expired', ['*'], { expires_at: '2020-01-01T00:00:00Z' }),
    ]);
    const answer = await app.ask('chat', {}, headers);
    expect(answer.status).toBe(401);
    expect(at(answer.json, 'error')).toMatchObject({ type: 'invalid_api_key', code });
    expect(upstream.calls).toEqual([]);
  });

  it('is turned away by a list of keys that is empty', async () => {
    const { app } = await startWith([]);
    expect((await app.ask('chat', {}, bearer('sk-good'))).status).toBe(401);
  });

  it('is turned away before its body is looked at', async () => {
    const { app } = await startWith([caller('sk-good', ['*'])]);
    expect((await app.post('/v1/chat/completions', '{broken')).status).toBe(401);
  });

  it('is told in the shape of the Messages API there', async () => {
    const { app } = await startWith([caller('sk-good', ['*'])]);
    const answer = await app.post('/v1/messages', { model: 'chat', messages });
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
  });
});

describe('a caller with a valid key', () => {
  it.each([
    ['authorization', bearer('sk-good')],
    ['x-api-key', { 'x-api-key': 'sk-good' }],
  ])('may present it in %s', async (_name, headers) => {
    const { app } = await startWith([caller('sk-good', ['chat'])]);
    expect((await app.ask('chat', {}, headers)).status).toBe(200);
  });

  it('never shows it to the upstream', async () => {
    const { app, upstream } = await startWith([caller('sk-good', ['chat'])]);
    await app.ask('chat', {}, { ...bearer('sk-good'), cookie: 'session=1', 'x-api-key': 'sk-good' });
    expect(JSON.stringify(upstream.calls[0]?.rawHeaders)).not.toContain('sk-good');
    expect(upstream.calls[0]?.headers.cookie).toBeUndefined();
    expect(upstream.calls[0]?.headers.authorization).toBe('Bearer sk-one');
  });

  it('may use a key until the instant at which it expires', async () => {
    const { app } = await startWith([caller('sk-good', ['*'], { expires_at: '2030-01-01T00:00:00Z' })]);
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2030-01-01T00:00:00Z') });
    try {
      expect((await app.ask('chat', {}, bearer('sk-good'))).status).toBe(200);
      vi.setSystemTime(new Date('2030-01-01T00:00:00.001Z'));
      expect(at((await app.ask('chat', {}, bearer('sk-good'))).json, 'error', 'code')).toBe(
        'api_key_expired',
      );
    } finally {
      vi.useRealTimers();
    }
  });

  it('is known to the rest of the application by its labels', async () => {
    const upstream = await startUpstream(echoModel());
    let consumer: unknown;
    const labels = { display_name: 'Ada', team_id: 't1', user_id: 'u1', user_name: 'ada' };
    const app = await startRouter(
      { targets: [target('one', upstream)], api_keys: [caller('sk-good', ['*'], { id: 'k1', ...labels })] },
      {
        before(_req, res, next) {
          res.on('finish', () => {
            consumer = res.locals.consumer;
          });
          next();
        },
      },
    );
    await app.ask('one', {}, bearer('sk-good'));
    expect(consumer).toMatchObject({ username: 'Ada', id: 'k1', ...labels });
  });
});

describe('the models a key may use', () => {
  it.each([
    ['*', 'chat', 200],
    ['ch*', 'chat', 200],
    ['*at', 'chat', 200],
    ['c*t', 'chat', 200],
    ['chat', 'chat', 200],
    ['cha', 'chat', 403],
    ['Chat', 'chat', 403],
    ['one', 'chat', 403],
  ])('%s lets %s through with %i', async (pattern, model, status) => {
    const { app } = await startWith([caller('sk-good', [pattern])]);
    expect((await app.ask(model, {}, bearer('sk-good'))).status).toBe(status);
  });

  it('are none where the list is empty', async () => {
    const { app, upstream } = await startWith([caller('sk-good', [])]);
    const answer = await app.ask('chat', {}, bearer('sk-good'));
    expect(answer.status).toBe(403);
    expect(at(answer.json, 'error')).toMatchObject({ type: 'permission_denied', code: 'permission_denied' });
    expect(upstream.calls).toEqual([]);
  });

  it('need not include the targets of an alias, which stay out of reach', async () => {
    const { app, upstream } = await startWith([caller('sk-good', ['chat'])]);
    expect((await app.ask('chat', {}, bearer('sk-good'))).status).toBe(200);
    expect((await app.ask('one', {}, bearer('sk-good'))).status).toBe(403);
    expect(upstream.calls).toHaveLength(1);
  });
});

describe('where the application knows its callers itself', () => {
  it('nobody needs a key', async () => {
    const { app } = await startWith(undefined);
    expect((await app.ask('chat')).status).toBe(200);
  });

  it('its res.locals.consumer.allowed_models is the allow-list', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter(
      { targets: [target('one', upstream)], aliases: [alias('chat', ['one'])] },
      {
        before(_req, res, next) {
          res.locals.consumer = { username: 'ada', allowed_models: ['ch*'] };
          next();
        },
      },
    );
    expect((await app.ask('chat')).status).toBe(200);
    expect((await app.ask('one')).status).toBe(403);
    expect(at((await app.get('/v1/models')).json, 'data', 0, 'id')).toBe('chat');
    expect(at((await app.get('/v1/models')).json, 'data', 1)).toBeUndefined();
  });
});

describe('a request is checked in this order', () => {
  const key = bearer('sk-good');

  it.each([
    ['a body that is no JSON', '{"model": "chat"'],
    ['no model', { messages }],
    ['a model that is no string', { model: 7, messages }],
    ['an empty model', { model: '', messages }],
    ['no messages', { model: 'chat' }],
    ['empty messages', { model: 'chat', messages: [] }],
    ['messages that are no list', { model: 'chat', messages: 'Hi' }],
    ['an array', []],
  ])('%s is a 400, known model or not', async (_what, body) => {
    const { app, upstream } = await startWith([caller('sk-good', ['*'])]);
    const answer = await app.post('/v1/chat/completions', body, key);
    expect(answer.status).toBe(400);
    expect(at(answer.json, 'error', 'type')).toBe('invalid_request_error');
    expect(upstream.calls).toEqual([]);
  });

  it('an unknown model is a 404, before the allow-list', async () => {
    const { app } = await startWith([caller('sk-good', [])]);
    const answer = await app.ask('unknown', {}, key);
    expect(answer.status).toBe(404);
    expect(at(answer.json, 'error')).toMatchObject({ type: 'model_not_found', code: 'model_not_found' });
  });

  it('a model that may not be used is a 403, before the address and the limits', async () => {
    const { app, upstream } = await startWith([caller('sk-good', ['other'])], {
      allowed_cidrs: ['10.0.0.0/8'],
      rate_limit: { rpm: 0 },
    });
    expect(at((await app.ask('chat', {}, key)).json, 'error', 'code')).toBe('permission_denied');
    expect(upstream.calls).toEqual([]);
  });

  it('an address that may not call is a 403, before the limits', async () => {
    const { app, upstream } = await startWith([caller('sk-good', ['*'])], {
      allowed_cidrs: ['10.0.0.0/8'],
      rate_limit: { rpm: 0 },
    });
    const answer = await app.ask('chat', {}, key);
    expect(answer.status).toBe(403);
    expect(at(answer.json, 'error')).toMatchObject({ type: 'permission_denied', code: 'ip_restricted' });
    expect(upstream.calls).toEqual([]);
  });

  it.each([
    ['a key', { rate_limit: { rpm: 1 } }, {}],
    ['an alias', {}, { rate_limit: { rpm: 1 } }],
  ])('a limit of %s that is used up is a 429 that says when to come again', async (_what, ofKey, ofAlias) => {
    const { app, upstream } = await startWith([caller('sk-good', ['*'], ofKey)], ofAlias);
    expect((await app.ask('chat', {}, key)).status).toBe(200);
    const answer = await app.ask('chat', {}, key);
    expect(answer.status).toBe(429);
    expect(at(answer.json, 'error')).toMatchObject({
      type: 'rate_limit_exceeded',
      code: 'rate_limit_exceeded',
    });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(upstream.calls).toHaveLength(1);
  });
});
