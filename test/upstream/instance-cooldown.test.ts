/** `instances[].cooldown` of ai-proxy-multi: an extension of this package, off unless it is written. */
import { describe, expect, it } from 'vitest';
import { quickChecks, startHealthApp } from '../health/health-app.ts';
import { type App, type InstanceConfig, instance, post, startApp } from '../support/app.ts';
import { answerJson, echoModel, type Script, startUpstream } from '../support/upstream.ts';

const COOLDOWN = { cooldown: {} };

/** Answers as it is told to by the test. */
async function startMoody(first: Script) {
  let script = first;
  const upstream = await startUpstream((call, res, req) => script(call, res, req));
  return {
    upstream,
    now(next: Script): void {
      script = next;
    },
  };
}

const fails =
  (status: number, headers: Record<string, string> = {}): Script =>
  (_call, res) =>
    answerJson(res, status, { error: { message: 'no' } }, headers);

interface Two {
  readonly app: App;
  readonly first: Awaited<ReturnType<typeof startMoody>>;
  readonly second: Awaited<ReturnType<typeof startMoody>>;
}

async function startTwo(
  cooldown: Partial<InstanceConfig>,
  script: Script,
  more: Partial<Parameters<typeof startApp>[0]> = {},
): Promise<Two> {
  const [first, second] = [await startMoody(script), await startMoody(echoModel())];
  const app = await startApp({
    instances: [
      instance('first', first.upstream.url, { priority: 1, ...cooldown }),
      instance('second', second.upstream.url, cooldown),
    ],
    ...more,
  });
  return { app, first, second };
}

async function ask({ app }: Pick<Two, 'app'>): Promise<number> {
  const answer = await post(app.url);
  await answer.text();
  return answer.status;
}

const cooldownOf = ({ app }: Pick<Two, 'app'>, name = 'first') =>
  app.middleware.status().instances.find((one) => one.name === name)?.cooldown;

describe('an instance with a cooldown', () => {
  it.each<[string, Script, string]>([
    ['a 429', fails(429), 'upstream_rate_limited'],
    ['a 401', fails(401), 'upstream_auth_failure'],
    ['a 500', fails(500), 'upstream_server_error'],
    ['a 503 without a body', (_call, res) => res.writeHead(503).end(), 'upstream_server_error'],
    ['a connection that breaks', (call) => call.socket.resetAndDestroy(), 'transport_error'],
  ])('is passed over after %s, without a fallback strategy', async (_what, script, reason) => {
    const two = await startTwo(COOLDOWN, script);
    expect(await ask(two)).toBeGreaterThanOrEqual(400);
    expect(cooldownOf(two)).toEqual({ until: expect.stringMatching(/^\d{4}-.*Z$/), reason });
    expect(await ask(two)).toBe(200);
    expect((await two.app.ended(2))[1]?.llm_attempts).toMatchObject([
      { instance: 'first', skipped: 'cooldown' },
      { instance: 'second', status: 200 },
    ]);
    expect(two.first.upstream.calls).toHaveLength(1);
  });

  it('is passed over after a time-out', async () => {
    const two = await startTwo(COOLDOWN, () => {}, { timeout: 500 });
    expect(await ask(two)).toBe(504);
    expect(cooldownOf(two)).toMatchObject({ reason: 'request_timeout' });
    expect(await ask(two)).toBe(200);
  });

  it.each([400, 404, 422])('is not by a %i', async (status) => {
    const two = await startTwo(COOLDOWN, fails(status));
    expect([await ask(two), await ask(two)]).toEqual([status, status]);
    expect(cooldownOf(two)).toBeUndefined();
  });

  it('is passed over by the requests that follow one that has moved on', async () => {
    const two = await startTwo(COOLDOWN, fails(500), { fallback_strategy: ['http_5xx'] });
    expect([await ask(two), await ask(two), await ask(two)]).toEqual([200, 200, 200]);
    expect(two.first.upstream.calls).toHaveLength(1);
    expect(two.second.upstream.calls).toHaveLength(3);
  });

  it('cools as long as Retry-After says', async () => {
    const two = await startTwo(COOLDOWN, fails(429, { 'retry-after': '180' }));
    const before = Date.now();
    await ask(two);
    const until = Date.parse(cooldownOf(two)?.until ?? '');
    expect(until).toBeGreaterThanOrEqual(before + 180_000);
    expect(until).toBeLessThanOrEqual(Date.now() + 180_000);
  });

  it('cools no longer than max_seconds, whatever Retry-After says', async () => {
    const cooldown = { cooldown: { max_seconds: 60 } };
    const two = await startTwo(cooldown, fails(429, { 'retry-after': '86400' }));
    await ask(two);
    expect(Date.parse(cooldownOf(two)?.until ?? '')).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  it('is tried all the same while all of them cool, and a success ends it', async () => {
    const two = await startTwo(COOLDOWN, fails(500), { fallback_strategy: ['http_5xx'] });
    two.second.now(fails(503));
    expect(await ask(two)).toBe(503);
    expect([cooldownOf(two)?.reason, cooldownOf(two, 'second')?.reason]).toEqual(
      Array(2).fill('upstream_server_error'),
    );
    two.first.now(echoModel());
    expect(await ask(two)).toBe(200);
    expect([cooldownOf(two), cooldownOf(two, 'second') !== undefined]).toEqual([undefined, true]);
    expect(two.first.upstream.calls).toHaveLength(2);
  });

  it('without others is tried while it cools', async () => {
    const first = await startMoody(fails(500));
    const app = await startApp({ instances: [instance('first', first.upstream.url, COOLDOWN)] });
    expect([await ask({ app }), await ask({ app })]).toEqual([500, 500]);
    first.now(echoModel());
    expect(await ask({ app })).toBe(200);
    expect(cooldownOf({ app })).toBeUndefined();
  });

  it('is preferred to one that its health check has found down', async () => {
    const [cooling, down] = [await startMoody(fails(500)), await startMoody(fails(503))];
    const app = await startHealthApp({
      instances: [
        instance('first', cooling.upstream.url, { priority: 1, ...COOLDOWN }),
        instance('second', down.upstream.url, quickChecks()),
      ],
    });
    await app.until('second', 'unhealthy');
    expect([await ask({ app }), await ask({ app })]).toEqual([500, 500]);
    expect((await app.ended(2))[1]?.llm_attempts).toMatchObject([{ instance: 'first', status: 500 }]);
  });
});

describe('an instance without a cooldown', () => {
  it.each([
    ['where none is written', {}],
    ['where it is switched off', { cooldown: { enabled: false } }],
    ['where it lasts no time', { cooldown: { default_seconds: 0 } }],
  ])('is tried again after every failure, %s', async (_how, cooldown) => {
    const two = await startTwo(cooldown, fails(500));
    expect([await ask(two), await ask(two), await ask(two)]).toEqual([500, 500, 500]);
    expect(cooldownOf(two)).toBeUndefined();
    expect(two.second.upstream.calls).toEqual([]);
  });
});
