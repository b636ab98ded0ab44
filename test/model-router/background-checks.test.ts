import { describe, expect, it, vi } from 'vitest';
import { answerJson, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import {
  alias,
  at,
  failWith,
  type RouterApp,
  type Routing,
  servedBy,
  startRouter,
  type TargetConfig,
  target,
} from './router-app.ts';

type Check = NonNullable<TargetConfig['model']['background_model_check']>;

/** Answers probes by the first script, callers by the second. */
function probed(probe: Script, others: Script = echoModel()): Script {
  return (call, res, req) => (call.body.includes('"are you there?"') ? probe : others)(call, res, req);
}

const rules: Check = { prompt: 'are you there?', interval_seconds: 300 };

async function startPair(
  scripts: readonly [Script, Script],
  routing: Partial<Routing> = {},
  check: Check = {},
) {
  const [first, second] = [await startUpstream(scripts[0]), await startUpstream(scripts[1])];
  const model = { background_model_check: { ...rules, ...check } };
  const app = await startRouter({
    targets: [target('first', first, model), target('second', second, model)],
    aliases: [alias('chat', ['first', 'second'], routing)],
  });
  const asked = () => first.calls.length + second.calls.length;
  return { app, first, second, asked };
}

async function untilChecked(app: RouterApp, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await expect.poll(() => app.state(name).last_checked_at, { timeout: 5000 }).toBeTypeOf('string');
  }
}

const bad = probed(failWith(500));
const good = probed(echoModel());

describe('a background check', () => {
  it('is a chat of one message with the provider key, and counts as no request', async () => {
    const { app, first } = await startPair([good, good], {}, { max_tokens: 7 });
    await untilChecked(app, 'first', 'second');
    expect(first.calls).toHaveLength(1);
    expect(first.calls[0]).toMatchObject({ method: 'POST', url: '/v1/chat/completions' });
    expect(first.calls[0]?.headers.authorization).toBe('Bearer sk-first');
    expect(JSON.parse(first.calls[0]?.body ?? '')).toEqual({
      model: 'upstream-first',
      messages: [{ role: 'user', content: 'are you there?' }],
      max_tokens: 7,
    });
    expect(app.state('first')).toMatchObject({ status: 'healthy', last_check_status: 200 });
    expect(app.router.status().instances[0]).toMatchObject({ attempts: 0 });
  });

  it('is not sent where it is not enabled', async () => {
    const upstream = await startUpstream(bad);
    const app = await startRouter({
      targets: [
        target('off', upstream, { background_model_check: { ...rules, enabled: false } }),
        target('on', upstream, { background_model_check: rules }),
      ],
    });
    await untilChecked(app, 'on');
    expect(upstream.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer sk-on']);
    expect(app.state('off').last_checked_at).toBeUndefined();
  });

  it('that fails takes a target out of its aliases, and status() says why', async () => {
    const { app, first } = await startPair([bad, good]);
    await untilChecked(app, 'first', 'second');
    expect(app.state('first')).toMatchObject({
      status: 'unhealthy',
      status_reason: 'background_check_failed',
      last_check_status: 500,
    });
    expect(servedBy(await app.ask('chat'))).toBe('second');
    expect(first.calls).toHaveLength(1);
  });

  it('that fails with an ignored status says so, and takes nothing out', async () => {
    const { app } = await startPair([probed(failWith(429)), good], {}, { ignore_statuses: [429] });
    await untilChecked(app, 'first');
    expect(app.state('first')).toMatchObject({
      status: 'healthy',
      status_reason: 'ignored_transient_error',
      last_check_status: 429,
    });
    expect(servedBy(await app.ask('chat'))).toBe('first');
  });

  it('that is not answered in time counts as a 408', async () => {
    const { app } = await startPair([probed(() => {}), good], {}, { timeout_seconds: 1 });
    await untilChecked(app, 'first');
    expect(app.state('first')).toMatchObject({ status: 'unhealthy', last_check_status: 408 });
  });

  it('that has failed is forgotten when a caller is served', async () => {
    const { app } = await startPair([bad, good]);
    await untilChecked(app, 'first');
    expect((await app.ask('first')).status).toBe(200);
    expect(app.state('first')).toMatchObject({ status: 'healthy' });
    expect(servedBy(await app.ask('chat'))).toBe('first');
  });

  it('brings a target back when it succeeds again', async () => {
    let isWell = false;
    const first = probed((call, res, req) =>
      isWell ? echoModel()(call, res, req) : answerJson(res, 500, {}),
    );
    const { app } = await startPair([first, good], {}, { interval_seconds: 5 });
    await untilChecked(app, 'first');
    expect(app.state('first')).toMatchObject({ status: 'unhealthy' });
    isWell = true;
    await expect.poll(() => app.state('first').status, { timeout: 8000 }).toBe('healthy');
    expect(servedBy(await app.ask('chat'))).toBe('first');
  });

  it('that is too long ago says nothing any more', async () => {
    const { app } = await startPair([bad, good], {}, { stale_after_seconds: 60 });
    await untilChecked(app, 'first', 'second');
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      vi.setSystemTime(Date.now() + 59_000);
      expect(servedBy(await app.ask('chat'))).toBe('second');
      vi.setSystemTime(Date.now() + 2000);
      expect(app.state('first')).toMatchObject({ status: 'healthy' });
      expect(app.state('first')).not.toHaveProperty('status_reason');
      expect(servedBy(await app.ask('chat'))).toBe('first');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('while every target is unhealthy', () => {
  it.each([{}, { on_all_filtered: 'fail' }, { when_all_unavailable: 'fail' }] as const)(
    'a request is refused, and no upstream is called (%j)',
    async (routing) => {
      const { app, asked } = await startPair([bad, bad], routing);
      await untilChecked(app, 'first', 'second');
      const answer = await app.ask('chat');
      expect(answer.status).toBe(503);
      expect(at(answer.json, 'error')).toMatchObject({
        type: 'all_candidates_unavailable',
        code: 'all_candidates_unavailable',
      });
      const seconds = Number(answer.headers.get('retry-after'));
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(30);
      expect(answer.headers.get('x-aisix-served-by')).toBeNull();
      expect(asked()).toBe(2);
    },
  );

  it('the refusal says when the next check is due', async () => {
    const { app } = await startPair([bad, bad], {}, { interval_seconds: 10 });
    await untilChecked(app, 'first', 'second');
    const answer = await app.ask('chat');
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(10);
  });

  it.each([
    { on_all_filtered: 'original_order' },
    { on_all_filtered: 'try_anyway' },
    { when_all_unavailable: 'try_anyway' },
    { when_all_unavailable: 'original_order' },
  ] as const)('all are tried in their order with %j', async (routing) => {
    const failing = probed(failWith(500), failWith(503));
    const { app, first } = await startPair([failing, bad], routing);
    await untilChecked(app, 'first', 'second');
    expect(servedBy(await app.ask('chat'))).toBe('second');
    expect(first.calls).toHaveLength(2);
  });

  it('one that is asked for directly is tried all the same', async () => {
    const { app } = await startPair([bad, bad]);
    await untilChecked(app, 'first', 'second');
    expect((await app.ask('second')).status).toBe(200);
  });

  it('but one that merely cools, it is tried', async () => {
    const { app, second } = await startPair([bad, probed(echoModel(), failWith(503))]);
    await untilChecked(app, 'first', 'second');
    await app.ask('second');
    expect(app.state('second')).toMatchObject({ status: 'cooldown' });
    expect((await app.ask('chat')).status).toBe(502);
    expect(second.calls).toHaveLength(3);
  });

  it('and cooling, it is called cooling, and is still not tried', async () => {
    const { app, first } = await startPair([probed(failWith(500), failWith(503)), good]);
    await untilChecked(app, 'first', 'second');
    await app.ask('first');
    expect(app.state('first')).toMatchObject({ status: 'cooldown' });
    expect(servedBy(await app.ask('chat'))).toBe('second');
    expect(first.calls).toHaveLength(2);
  });
});
