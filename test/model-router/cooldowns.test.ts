import { describe, expect, it, vi } from 'vitest';
import { answerJson, chatAnswer, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import { defer } from './admin/deferred.ts';
import {
  alias,
  at,
  failWith,
  inTurn,
  type RouterApp,
  type Routing,
  servedBy,
  startRouter,
  streamOf,
  type TargetConfig,
  target,
} from './router-app.ts';

type Model = Partial<TargetConfig['model']>;

/** A first target with this script, and a second one that is well. */
async function startPair(script: Script, model: Model = {}, routing: Partial<Routing> = {}) {
  const [first, second] = [await startUpstream(script), await startUpstream(echoModel())];
  const app = await startRouter({
    targets: [target('first', first, model), target('second', second)],
    aliases: [alias('chat', ['first', 'second'], routing)],
  });
  return { app, first, second };
}

/** How long a model still cools, in seconds. */
function coolsFor(app: RouterApp, name: string): number {
  return (Date.parse(String(app.state(name).cooldown_until)) - Date.now()) / 1000;
}

/** Runs with a clock that only the test moves on. */
async function withClock(run: (later: (ms: number) => void) => Promise<void>): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    await run((ms) => void vi.setSystemTime(Date.now() + ms));
  } finally {
    vi.useRealTimers();
  }
}

const errorEvent = (error: object): string => `data: ${JSON.stringify({ error })}\n\n`;

const reasons: readonly [string, Script, object, string][] = [
  ['a 401', failWith(401), {}, 'upstream_auth_failure'],
  ['a 408', failWith(408), {}, 'upstream_request_timeout'],
  ['a 429', failWith(429), {}, 'upstream_rate_limited'],
  ['a 500', failWith(500), {}, 'upstream_server_error'],
  ['a 502', failWith(502), {}, 'upstream_server_error'],
  ['a 503', failWith(503), {}, 'upstream_server_error'],
  ['a 504', failWith(504), {}, 'upstream_server_error'],
  ['a time-out', () => {}, {}, 'request_timeout'],
  ['a broken connection', (_call, res) => res.socket?.resetAndDestroy(), {}, 'transport_error'],
  ['an answer that cannot be read', (_call, res) => res.end('<html>'), {}, 'upstream_decode_error'],
  [
    'a stream that begins with an error',
    streamOf(errorEvent({ message: 'x' })),
    { stream: true },
    'upstream_in_band_error',
  ],
  [
    'a stream that begins with a 429',
    streamOf(errorEvent({ code: 'rate_limit_exceeded' })),
    { stream: true },
    'upstream_rate_limited',
  ],
];

describe('a target is benched, and status() says why, by', () => {
  it.each(reasons)('%s', async (_what, script, more, reason) => {
    const { app } = await startPair(script, { timeout: 600 });
    expect(app.state('first')).toMatchObject({ status: 'healthy' });
    await app.ask('chat', more);
    expect(app.state('first')).toMatchObject({ status: 'cooldown', status_reason: reason });
    expect(coolsFor(app, 'first')).toBeGreaterThan(25);
    expect(coolsFor(app, 'first')).toBeLessThanOrEqual(30);
    expect(app.state('second')).toMatchObject({ status: 'healthy' });
    expect(app.state('chat')).toMatchObject({ status: 'not_applicable', kind: 'routing' });
  });
});

describe('a target is not benched by', () => {
  it.each([400, 403, 404, 422, 501])('a %i', async (status) => {
    const { app } = await startPair(failWith(status));
    await app.ask('chat');
    expect(app.state('first')).toMatchObject({ status: 'healthy' });
  });

  it.each([
    ['statuses that are not in trigger_statuses', failWith(500), { trigger_statuses: [429] }],
    ['a time-out with trigger_on_timeout off', () => {}, { trigger_on_timeout: false }],
    [
      'a broken connection with trigger_on_transport off',
      (_call, res) => res.socket?.resetAndDestroy(),
      { trigger_on_transport: false },
    ],
    ['anything with enabled off', failWith(401), { enabled: false }],
    ['anything with default_seconds 0', failWith(401), { default_seconds: 0 }],
  ] satisfies [string, Script, object][])('%s', async (_what, script, cooldown) => {
    const { app, first } = await startPair(script, { timeout: 600, cooldown });
    await app.ask('chat');
    await app.ask('chat');
    expect(app.state('first')).toMatchObject({ status: 'healthy' });
    expect(first.calls).toHaveLength(2);
  });
});

describe('a benched target', () => {
  it('is skipped by the next request: a 401 went to its caller, and benched it', async () => {
    const { app, first } = await startPair(failWith(401));
    expect((await app.ask('chat')).status).toBe(401);
    expect(servedBy(await app.ask('chat'))).toBe('second');
    expect(first.calls).toHaveLength(1);
    expect(app.finished[1]?.llm_attempts).toEqual([
      { instance: 'first', skipped: 'cooldown' },
      expect.objectContaining({ instance: 'second', status: 200 }),
    ]);
  });

  it('is skipped after a 429 as well, though retry_on_429 is off', async () => {
    const { app, first } = await startPair(failWith(429), {}, { retry_on_429: false });
    expect((await app.ask('chat')).status).toBe(429);
    expect(servedBy(await app.ask('chat'))).toBe('second');
    expect(first.calls).toHaveLength(1);
  });

  it('is skipped by every alias that it is a target of', async () => {
    const [first, second] = [await startUpstream(failWith(503)), await startUpstream(echoModel())];
    const app = await startRouter({
      targets: [target('first', first), target('second', second)],
      aliases: [alias('one', ['first', 'second']), alias('two', ['first', 'second'])],
    });
    await app.ask('one');
    expect(servedBy(await app.ask('two'))).toBe('second');
    expect(first.calls).toHaveLength(1);
  });

  it('cools for as long as the upstream asks for', async () => {
    const { app } = await startPair(failWith(429, { 'retry-after': '180' }));
    await app.ask('chat');
    expect(coolsFor(app, 'first')).toBeGreaterThan(170);
    expect(coolsFor(app, 'first')).toBeLessThanOrEqual(180);
  });

  it.each([
    ['no longer than max_seconds', { max_seconds: 60 }, 60],
    ['for default_seconds where honor_retry_after is off', { honor_retry_after: false }, 30],
    ['for default_seconds of its own', { honor_retry_after: false, default_seconds: 90 }, 90],
  ])('cools %s', async (_what, cooldown, seconds) => {
    const { app } = await startPair(failWith(429, { 'retry-after': '180' }), { cooldown });
    await app.ask('chat');
    expect(coolsFor(app, 'first')).toBeGreaterThan(seconds - 5);
    expect(coolsFor(app, 'first')).toBeLessThanOrEqual(seconds);
  });

  it('is asked again when its time is over', async () => {
    const { app, first } = await startPair(inTurn(failWith(503), echoModel()));
    await withClock(async (later) => {
      await app.ask('chat');
      later(29_000);
      expect(servedBy(await app.ask('chat'))).toBe('second');
      later(1001);
      expect(app.state('first')).toMatchObject({ status: 'healthy' });
      expect(app.state('first').cooldown_until).toBeUndefined();
      expect(servedBy(await app.ask('chat'))).toBe('first');
      expect(first.calls).toHaveLength(2);
    });
  });

  it('is back early after one success of its own', async () => {
    const { app } = await startPair(inTurn(failWith(503), echoModel()));
    await app.ask('chat');
    expect(app.state('first')).toMatchObject({ status: 'cooldown' });
    expect((await app.ask('first')).status).toBe(200);
    expect(app.state('first')).toMatchObject({ status: 'healthy' });
    expect(servedBy(await app.ask('chat'))).toBe('first');
  });

  it('is tried all the same where it is asked for directly', async () => {
    const { app, first } = await startPair(failWith(503));
    await app.ask('first');
    await app.ask('first');
    expect(first.calls).toHaveLength(2);
  });

  it('is tried all the same where every target cools', async () => {
    const [first, second] = [await startUpstream(failWith(503)), await startUpstream(failWith(503))];
    const app = await startRouter({
      targets: [target('first', first), target('second', second)],
      aliases: [alias('chat', ['first', 'second'])],
    });
    await app.ask('chat');
    expect((await app.ask('chat')).status).toBe(502);
    expect(first.calls).toHaveLength(2);
    expect(second.calls).toHaveLength(2);
  });

  it('is no fallback of a request either', async () => {
    let isWell = true;
    const first = await startUpstream((_call, res) =>
      isWell ? answerJson(res, 200, chatAnswer('m')) : answerJson(res, 500, {}),
    );
    const second = await startUpstream(failWith(503));
    const app = await startRouter({
      targets: [target('first', first), target('second', second)],
      aliases: [alias('chat', ['first', 'second'])],
    });
    await app.ask('second');
    isWell = false;
    const answer = await app.ask('chat');
    expect(answer.status).toBe(502);
    expect(at(answer.json, 'error', 'message')).toContain('500');
    expect(second.calls).toHaveLength(1);
  });

  it('is still one where it was benched while the request was under way', async () => {
    const [begun, end] = [defer(), defer()];
    const first = await startUpstream(async (_call, res) => {
      begun.resolve();
      await end.promise;
      answerJson(res, 503, {});
    });
    const second = await startUpstream(inTurn(failWith(429), echoModel()));
    const app = await startRouter({
      targets: [target('first', first), target('second', second)],
      aliases: [alias('chat', ['first', 'second'])],
    });
    const asked = app.ask('chat');
    await begun.promise;
    expect((await app.ask('second')).status).toBe(429);
    end.resolve();
    expect(servedBy(await asked)).toBe('second');
  });

  it('does not use up max_fallbacks: skipping is no fallback', async () => {
    const third = await startUpstream(echoModel());
    const [first, second] = [await startUpstream(failWith(401)), await startUpstream(failWith(401))];
    const app = await startRouter({
      targets: [target('first', first), target('second', second), target('third', third)],
      aliases: [
        alias('chat', ['first', 'second', 'third'], { max_fallbacks: 1 }),
        alias('only', ['first', 'second', 'third'], { max_fallbacks: 0 }),
      ],
    });
    await app.ask('first');
    await app.ask('second');
    expect(servedBy(await app.ask('chat'))).toBe('third');
    expect(servedBy(await app.ask('only'))).toBe('third');
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });

  it('stays benched over an update that leaves it as it was', async () => {
    const { app, first } = await startPair(failWith(401));
    await app.ask('chat');
    app.router.update({ ...app.config });
    expect(app.state('first')).toMatchObject({ status: 'cooldown' });
    expect(servedBy(await app.ask('chat'))).toBe('second');
    expect(first.calls).toHaveLength(1);
  });
});

describe('max_fallbacks', () => {
  async function startThree(routing: Partial<Routing>) {
    const upstream = await startUpstream(failWith(500));
    const app = await startRouter({
      targets: ['a', 'b', 'c'].map((name) => target(name, upstream, { cooldown: { enabled: false } })),
      aliases: [alias('chat', ['a', 'b', 'c'], routing)],
    });
    await app.ask('chat');
    return upstream.calls.map(({ headers }) => headers.authorization);
  }

  it.each([
    [undefined, 3],
    [0, 1],
    [1, 2],
    [2, 3],
    [99, 3],
  ])('of %s lets a request try %i targets', async (max, count) => {
    expect(await startThree(max === undefined ? {} : { max_fallbacks: max })).toHaveLength(count);
  });

  it('does not count tries of the same target', async () => {
    expect(await startThree({ max_fallbacks: 1, retries: 1 })).toEqual([
      'Bearer sk-a',
      'Bearer sk-a',
      'Bearer sk-b',
      'Bearer sk-b',
    ]);
  });
});
