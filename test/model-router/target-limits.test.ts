/** The limits of a direct model while it is the target of an alias. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startHolding } from '../support/holding-upstream.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';
import { aliasOf, chat, errorIn, keyFor, modelFor, startRouter } from './started-router.ts';

afterEach(() => {
  vi.useRealTimers();
});

const NOON = Date.parse('2026-01-01T12:00:00Z');

function failing() {
  return startUpstream((_call, res) => answerJson(res, 500, { error: { message: 'broken' } }));
}

describe('the place of a request at a target', () => {
  it('is free as soon as the request has moved on to the next one', async () => {
    const [broken, slow] = [await failing(), await startHolding()];
    const started = await startRouter({
      provider_keys: [keyFor('a', broken.url), keyFor('b', slow.url)],
      models: [modelFor('a', { rate_limit: { concurrency: 1 } }), modelFor('b'), aliasOf('chat', ['a', 'b'])],
    });
    const moved = chat(started, 'chat');
    await slow.holding(1);
    expect((await chat(started, 'a')).status).toBe(502);
    slow.release();
    expect((await moved).status).toBe(200);
    expect((await chat(started, 'a')).status).toBe(502);
  });

  it('is taken until the answer ends at the target that gives it', async () => {
    const slow = await startHolding();
    const started = await startRouter({
      provider_keys: [keyFor('a', slow.url)],
      models: [modelFor('a', { rate_limit: { concurrency: 1 } }), aliasOf('chat', ['a'])],
    });
    const first = chat(started, 'chat');
    await slow.holding(1);
    expect((await chat(started, 'a')).status).toBe(429);
    const second = await chat(started, 'chat');
    expect([second.status, await errorIn(second)]).toMatchObject([429, { type: 'rate_limit_exceeded' }]);
    slow.release();
    expect((await first).status).toBe(200);
  });

  it('is left out for the next target while it is taken', async () => {
    const [slow, well] = [await startHolding(), await startUpstream(echoModel())];
    const started = await startRouter({
      provider_keys: [keyFor('a', slow.url), keyFor('b', well.url)],
      models: [modelFor('a', { rate_limit: { concurrency: 1 } }), modelFor('b'), aliasOf('chat', ['a', 'b'])],
    });
    const first = chat(started, 'chat');
    await slow.holding(1);
    const second = await chat(started, 'chat');
    expect([second.status, second.headers.get('x-aisix-served-by')]).toEqual([200, 'b']);
    expect((await started.ended(1))[0]?.llm_attempts).toMatchObject([
      { instance: 'a', skipped: 'rate_limited' },
      { instance: 'b', status: 200 },
    ]);
    slow.release();
    expect((await first).headers.get('x-aisix-served-by')).toBe('a');
  });
});

describe('the window of a target', () => {
  it('is not begun anew by a request that began before it did', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    const [slow, well] = [
      await startUpstream((_call, res) => {
        release = () => answerJson(res, 500, {});
        arrived();
      }),
      await startUpstream(echoModel()),
    ];
    let release = (): void => {};
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const started = await startRouter({
      provider_keys: [keyFor('a', slow.url), keyFor('b', well.url)],
      models: [modelFor('a'), modelFor('b', { rate_limit: { rpm: 1 } }), aliasOf('chat', ['a', 'b'])],
    });
    const old = chat(started, 'chat');
    await arrival;
    vi.setSystemTime(NOON + 61_000);
    expect((await chat(started, 'b')).status).toBe(200);
    release();
    expect((await old).status).toBe(502);
    vi.setSystemTime(NOON + 62_000);
    expect((await chat(started, 'b')).status).toBe(429);
  });
});
