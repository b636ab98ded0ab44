import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { answerJson, chatAnswer, type Script } from '../support/upstream.ts';
import {
  ANSWER_TOKENS,
  chat,
  HOUR,
  startLimited,
  toldOf,
  toldOfRule,
  usedOf,
  usedOfRule,
} from './limited.ts';

interface Held {
  readonly script: Script;
  /** Resolves when that many requests wait for their answers. */
  holding(count: number): Promise<void>;
  release(): void;
}

/** A script that holds its answers back. */
function holdAnswers(): Held {
  let held: (() => void)[] = [];
  let changed = (): void => {};
  return {
    script(_call, res) {
      held.push(() => answerJson(res, 200, chatAnswer('held')));
      changed();
    },
    async holding(count) {
      while (held.length < count) {
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
    release() {
      for (const answer of held) answer();
      held = [];
    },
  };
}

describe('requests in flight at the same time', () => {
  it('all pass where a single token is left, since none has been charged yet', async () => {
    const held = holdAnswers();
    const { url } = await startLimited({ limit: 1, time_window: HOUR }, { script: held.script });
    const asked = Array.from({ length: 20 }, () => post(url));
    await held.holding(20);
    held.release();
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 200));
    expect((await chat(url)).status).toBe(503);
  });

  it('are all charged, to the token', async () => {
    const held = holdAnswers();
    const { url } = await startLimited({ limit: 1_000_000, time_window: HOUR }, { script: held.script });
    const asked = Array.from({ length: 100 }, () => chat(url));
    await held.holding(100);
    held.release();
    await Promise.all(asked);
    expect(await usedOf(url)).toBe(100 * ANSWER_TOKENS);
  });

  it('are charged to those who sent them', async () => {
    const { url } = await startLimited({
      rules: [{ key: '$http_x_user', count: 1_000_000, time_window: HOUR }],
    });
    const users = Array.from({ length: 60 }, (_, index) => ({ 'x-user': `user-${index % 3}` }));
    await Promise.all(users.map((headers) => chat(url, headers)));
    const used = ['user-0', 'user-1', 'user-2'].map((user) => usedOfRule(url, 1, { 'x-user': user }));
    expect(await Promise.all(used)).toEqual([20, 20, 20].map((count) => count * ANSWER_TOKENS));
  });

  it('are charged to the instances that answered them', async () => {
    const { url, upstream } = await startLimited(
      { limit: 1_000_000, time_window: HOUR },
      { names: ['a', 'b'] },
    );
    await Promise.all(Array.from({ length: 40 }, () => chat(url)));
    expect(upstream.calls).toHaveLength(40);
    const [first, second] = [await chat(url), await chat(url)];
    expect([toldOf(first, 'a').remaining, toldOf(second, 'b').remaining]).toEqual(
      [20, 20].map((count) => 1_000_000 - count * ANSWER_TOKENS),
    );
  });
});

describe('the end of a window', () => {
  it('starts the quota anew', async () => {
    const { url } = await startLimited({ limit: ANSWER_TOKENS, time_window: 1 });
    expect((await chat(url)).status).toBe(200);
    let answer = await chat(url);
    while (!answer.ok) answer = await pause(5).then(() => chat(url));
    expect(toldOf(answer, 'a')).toEqual({ limit: ANSWER_TOKENS, remaining: ANSWER_TOKENS, reset: 1 });
  });

  it('starts it anew for a rule', async () => {
    const { url } = await startLimited({
      rules: [{ key: '$http_x_user', count: ANSWER_TOKENS, time_window: 1 }],
    });
    const jane = { 'x-user': 'jane' };
    expect((await chat(url, jane)).status).toBe(200);
    let answer = await chat(url, jane);
    while (!answer.ok) answer = await pause(5).then(() => chat(url, jane));
    expect(toldOfRule(answer, 1)).toEqual({ limit: ANSWER_TOKENS, remaining: ANSWER_TOKENS, reset: 1 });
  });

  it('brings an instance that was passed over back, by its priority', async () => {
    const { url } = await startLimited(
      { instances: [{ name: 'first', limit: 1, time_window: 1 }] },
      {
        names: ['first', 'second'],
        instance: (name) => ({ priority: name === 'first' ? 2 : 1 }),
        config: { fallback_strategy: ['rate_limiting'] },
      },
    );
    const models: string[] = [];
    const ask = async (): Promise<string> => {
      const model = /model-\w+/.exec(await (await post(url)).text())?.[0] ?? '';
      models.push(model);
      return model;
    };
    while ((await ask()) !== 'model-second') {}
    while ((await ask()) !== 'model-first') await pause(5);
    expect(models[0]).toBe('model-first');
  });

  it('does not come sooner for the requests that were refused', async () => {
    const { url } = await startLimited({ limit: 1, time_window: HOUR });
    await chat(url);
    const first = toldOf(await chat(url), 'a').reset ?? Number.NaN;
    for (let index = 0; index < 5; index++) await chat(url);
    const last = toldOf(await chat(url), 'a').reset ?? Number.NaN;
    expect(last).toBeLessThanOrEqual(first);
    expect(first).toBeLessThanOrEqual(HOUR);
  });
});
