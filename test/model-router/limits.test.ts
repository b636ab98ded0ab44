import http from 'node:http';
import { aiRateLimiting, type ModelRouterConfig } from 'ai-proxy-multi';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseObject } from '../../lib/protocols/json.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import {
  answerJson,
  chatEvent,
  doneEvent,
  echoModel,
  startUpstream,
  usageEvent,
} from '../support/upstream.ts';
import {
  aliasOf,
  bearer,
  callerFor,
  chat,
  errorIn,
  keyFor,
  modelFor,
  type StartedRouter,
  startRouter,
} from './started-router.ts';

afterEach(() => {
  vi.useRealTimers();
});

const NOON = Date.parse('2026-01-01T12:00:00Z');

type Limits = NonNullable<ModelRouterConfig['models'][number]['rate_limit']>;

/** Where a limit can be, and what is asked for so that it is met. */
const PLACES = ['a key', 'an alias', 'a direct model'] as const;
type Place = (typeof PLACES)[number];

function configWith(url: string, place: Place, limits: Limits): ModelRouterConfig {
  const at = (wanted: Place): { rate_limit?: Limits } => (place === wanted ? { rate_limit: limits } : {});
  return {
    provider_keys: [keyFor('a', url), keyFor('b', url)],
    models: [modelFor('a', at('a direct model')), modelFor('b'), aliasOf('chat', ['b'], {}, at('an alias'))],
    api_keys: [callerFor('jane', at('a key')), callerFor('joe')],
  };
}

const modelAt = (place: Place): string => (place === 'a direct model' ? 'a' : 'chat');

function statusesOf(started: StartedRouter, model: string, count: number): Promise<readonly number[]> {
  return Array.from({ length: count }).reduce<Promise<readonly number[]>>(async (before, _) => {
    const statuses = await before;
    const answer = await chat(started, model, {}, bearer('jane'));
    await answer.text();
    return [...statuses, answer.status];
  }, Promise.resolve([]));
}

describe.each(PLACES)('a limit of %s', (place) => {
  const model = modelAt(place);

  it.each([
    ['rpm', 60_000],
    ['rps', 1000],
    ['rph', 3_600_000],
  ] as const)(
    'of 2 %s lets two requests through, and two more in the next window',
    async (name, windowMs) => {
      vi.useFakeTimers({ toFake: ['Date'], now: NOON });
      const llm = await startUpstream(echoModel());
      const started = await startRouter(configWith(llm.url, place, { [name]: 2 }));
      expect(await statusesOf(started, model, 3)).toEqual([200, 200, 429]);
      vi.setSystemTime(NOON + windowMs);
      expect(await statusesOf(started, model, 3)).toEqual([200, 200, 429]);
      expect(llm.calls).toHaveLength(4);
    },
  );

  it('is told with when to come again', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    const llm = await startUpstream(echoModel());
    const started = await startRouter(configWith(llm.url, place, { rpm: 1 }));
    await statusesOf(started, model, 1);
    vi.setSystemTime(NOON + 18_000);
    const refused = await chat(started, model, {}, bearer('jane'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '42']);
    expect(await errorIn(refused)).toMatchObject({
      type: 'rate_limit_exceeded',
      code: 'rate_limit_exceeded',
    });
  });

  it.each([false, true])('of tokens is reached by what answers have used, stream: %s', async (stream) => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    const llm = await startUpstream((call, res) => {
      if (!stream) return echoModel()(call, res, new http.IncomingMessage(call.socket));
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      return res.end(chatEvent('Hi') + usageEvent + doneEvent);
    });
    // Each answer is 31 tokens.
    const started = await startRouter(configWith(llm.url, place, { tpm: 40 }));
    const statuses: number[] = [];
    for (let count = 0; count < 3; count++) {
      const answer = await chat(started, model, { stream }, bearer('jane'));
      await answer.text();
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([200, 200, 429]);
    vi.setSystemTime(NOON + 60_000);
    expect((await chat(started, model, { stream }, bearer('jane'))).status).toBe(200);
  });

  it('outlives an update that does not change it', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    const llm = await startUpstream(echoModel());
    const started = await startRouter(configWith(llm.url, place, { rpm: 2 }));
    expect(await statusesOf(started, model, 2)).toEqual([200, 200]);
    started.router.update(configWith(`${llm.url}/`, place, { rpm: 2 }));
    expect(await statusesOf(started, model, 1)).toEqual([429]);
    started.router.update(configWith(llm.url, place, { rpm: 3 }));
    expect(await statusesOf(started, model, 4)).toEqual([200, 200, 200, 429]);
  });

  it('of one request at a time counts a request that goes on through an update', async () => {
    const llm = await startHolding();
    const started = await startRouter(configWith(llm.url, place, { concurrency: 1 }));
    const first = chat(started, model, {}, bearer('jane'));
    await llm.holding(1);
    started.router.update(configWith(`${llm.url}/`, place, { concurrency: 1 }));
    expect(await statusesOf(started, model, 1)).toEqual([429]);
    llm.release();
    expect((await first).status).toBe(200);
    const second = chat(started, model, {}, bearer('jane'));
    await llm.holding(1);
    expect(await statusesOf(started, model, 1)).toEqual([429]);
    llm.release();
    await second;
  });
});

describe('the limit of one caller', () => {
  it('is nothing to another', async () => {
    const llm = await startUpstream(echoModel());
    const started = await startRouter(configWith(llm.url, 'a key', { rpm: 1 }));
    expect(await statusesOf(started, 'chat', 2)).toEqual([200, 429]);
    expect((await chat(started, 'chat', {}, bearer('joe'))).status).toBe(200);
  });

  it('is nothing to a model with the same id', async () => {
    const llm = await startUpstream(echoModel());
    const started = await startRouter({
      provider_keys: [keyFor('a', llm.url)],
      models: [modelFor('a', { id: 'same', rate_limit: { rpm: 2 } })],
      api_keys: [callerFor('jane', { id: 'same', rate_limit: { rpm: 1 } }), callerFor('joe')],
    });
    expect(await statusesOf(started, 'a', 2)).toEqual([200, 429]);
    expect((await chat(started, 'a', {}, bearer('joe'))).status).toBe(200);
    expect((await chat(started, 'a', {}, bearer('joe'))).status).toBe(429);
  });

  it('is the same for all models', async () => {
    const llm = await startUpstream(echoModel());
    const started = await startRouter(configWith(llm.url, 'a key', { rpm: 1 }));
    expect(await statusesOf(started, 'chat', 1)).toEqual([200]);
    expect(await statusesOf(started, 'a', 1)).toEqual([429]);
  });
});

/** What a script does when it is asked for one of these users. */
async function startWithOnePlace() {
  const llm = await startUpstream((call, res) => {
    const { user, model } = parseObject(call.body) ?? {};
    if (user === 'broken') return answerJson(res, 500, {});
    if (user === 'refused') return answerJson(res, 400, { error: { message: 'no' } });
    if (user === 'reset') return call.socket.resetAndDestroy();
    if (user === 'cut' || user === 'held') {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      return res.write(chatEvent('Hi'), () => user === 'cut' && call.socket.resetAndDestroy());
    }
    return user === 'silent' ? undefined : answerJson(res, 200, { model });
  });
  const limits = { rate_limit: { concurrency: 1 } };
  const started = await startRouter({
    provider_keys: [keyFor('a', llm.url), keyFor('b', llm.url)],
    models: [
      modelFor('a', { ...limits, timeout: 60_000, cooldown: { enabled: false } }),
      aliasOf('chat', ['a'], {}, limits),
      aliasOf('patient', ['a'], { retries: 50 }, limits),
    ],
    api_keys: [callerFor('jane', { ...limits, allowed_models: ['chat', 'patient', 'a'] })],
  });
  return { llm, started };
}

type OnePlace = Awaited<ReturnType<typeof startWithOnePlace>>;

function abandoned(
  user: string,
  model: string,
  when: (place: OnePlace, received: () => string) => Promise<unknown>,
) {
  return async (place: OnePlace): Promise<void> => {
    const client = await connectRaw(place.started.port);
    const body = JSON.stringify({
      model,
      user,
      stream: user === 'held',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    client.write(rawPost('/v1/chat/completions', body, ['Authorization: Bearer jane']));
    await when(place, () => client.received);
    client.socket.destroy();
  };
}

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const answered =
  (model: string, more: Record<string, unknown>, key = 'jane') =>
  async ({ started }: OnePlace): Promise<void> => {
    const response = await chat(started, model, more, bearer(key));
    await response.text().catch(() => {});
  };

describe('the only place is free again', () => {
  it.each<[string, (place: OnePlace) => Promise<void>]>([
    ['a good answer', answered('chat', {})],
    ['a failure', answered('chat', { user: 'broken' })],
    ["a client's error", answered('chat', { user: 'refused' })],
    ['a connection that breaks', answered('chat', { user: 'reset' })],
    ['a stream that is cut', answered('chat', { user: 'cut', stream: true })],
    ['an unknown key', answered('chat', {}, 'nobody')],
    ['an unknown model', answered('other', {})],
    ['a body without messages', answered('chat', { messages: [] })],
    [
      'a caller that leaves before the head',
      abandoned('silent', 'chat', ({ llm }) => until(() => llm.calls.length > 0)),
    ],
    [
      'a caller that leaves in mid-stream',
      abandoned('held', 'chat', (_, received) => until(() => received().includes('Hi'))),
    ],
    [
      'a caller that leaves between two tries',
      abandoned('broken', 'patient', ({ llm }) => until(() => llm.calls.length > 0)),
    ],
  ])('once, after %s', async (_what, use) => {
    const place = await startWithOnePlace();
    await use(place);
    await place.started.ended(1);
    const { llm, started } = place;
    const before = llm.calls.length;
    const client = await connectRaw(started.port);
    const held = { model: 'chat', user: 'held', stream: true, messages: [{ role: 'user', content: 'Hi' }] };
    client.write(rawPost('/v1/chat/completions', JSON.stringify(held), ['Authorization: Bearer jane']));
    await client.until('Hi');
    expect(llm.calls.length).toBe(before + 1);
    // Freed twice, there would be another one.
    expect((await chat(started, 'chat', {}, bearer('jane'))).status).toBe(429);
    expect((await chat(started, 'a', {}, bearer('jane'))).status).toBe(429);
    client.socket.destroy();
  });

  it('after a refusal for lack of a place, which takes none', async () => {
    const { started } = await startWithOnePlace();
    const client = await connectRaw(started.port);
    const held = { model: 'chat', user: 'held', stream: true, messages: [{ role: 'user', content: 'Hi' }] };
    client.write(rawPost('/v1/chat/completions', JSON.stringify(held), ['Authorization: Bearer jane']));
    await client.until('Hi');
    expect((await chat(started, 'chat', {}, bearer('jane'))).status).toBe(429);
    client.socket.destroy();
    await started.ended(2);
    expect((await chat(started, 'chat', {}, bearer('jane'))).status).toBe(200);
  });
});

describe('aiRateLimiting in front of a model router', () => {
  async function startBehind(routerLimits: Limits | undefined) {
    const llm = await startUpstream(echoModel());
    const limiter = aiRateLimiting({ limit: 40, time_window: 3600, rejected_code: 429 });
    onTestFinished(() => limiter.close());
    const config = configWith(llm.url, 'a key', routerLimits ?? {});
    return startRouter(config, {
      around: (router) => (req, res) => limiter(req, res, () => router(req, res)),
    });
  }

  it.each([
    ['without limits of its own', undefined],
    ['with limits of its own', { rpm: 100 }],
  ])('limits it by tokens, %s', async (_how, routerLimits) => {
    const started = await startBehind(routerLimits);
    const first = await chat(started, 'chat', {}, bearer('jane'));
    await first.text();
    expect(first.headers.get('x-ai-ratelimit-remaining-b')).toBe('40');
    expect(await statusesOf(started, 'chat', 2)).toEqual([200, 429]);
  });

  it('answers in its own words', async () => {
    const started = await startBehind({ rpm: 100 });
    await statusesOf(started, 'chat', 2);
    const refused = await chat(started, 'chat', {}, bearer('jane'));
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(await errorIn(refused)).toMatchObject({ code: 'quota_exceeded' });
  });
});
