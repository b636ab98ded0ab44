import type { AiProxyMultiConfig } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { askInTurn, askWho, countOf, failFor } from '../balancer/ask.ts';
import { post } from '../support/app.ts';
import { codeIn } from '../support/gateway.ts';
import { ANSWER_TOKENS, chat, HOUR, quotaHeaderNames, startLimited, statusesOf, toldOf } from './limited.ts';

/** A limit that one answer uses up, of these instances alone. */
function onceOf(...names: readonly string[]) {
  return { instances: names.map((name) => ({ name, limit: ANSWER_TOKENS, time_window: HOUR })) };
}

/** A limit that one answer of any instance uses up. */
const ONCE = { limit: ANSWER_TOKENS, time_window: HOUR };

const byName =
  (numbers: Record<string, number>, field: 'weight' | 'priority') =>
  (name: string): { weight?: number; priority?: number } => ({ [field]: numbers[name] ?? 1 });

const passingOver: readonly Pick<AiProxyMultiConfig, 'fallback_strategy'>[] = [
  { fallback_strategy: 'instance_health_and_rate_limiting' },
  { fallback_strategy: ['rate_limiting'] },
];

describe.each(passingOver)('with %j an instance without a quota', (config) => {
  it('is passed over', async () => {
    const { url } = await startLimited(onceOf('a'), { names: ['a', 'b'], config });
    expect(await askInTurn(url, 5)).toEqual(['a', 'b', 'b', 'b', 'b']);
  });

  it('is passed over whatever its priority', async () => {
    const { url } = await startLimited(onceOf('first'), {
      names: ['last', 'first', 'second'],
      config,
      instance: byName({ first: 10, second: 5, last: 1 }, 'priority'),
    });
    expect(await askInTurn(url, 4)).toEqual(['first', 'second', 'second', 'second']);
  });

  it('hands its turns to the others by their weights', async () => {
    const { url } = await startLimited(onceOf('a'), {
      names: ['a', 'b', 'c'],
      config,
      instance: byName({ a: 5, b: 3, c: 1 }, 'weight'),
    });
    expect(await askWho(url)).toBe('a');
    const answers = await askInTurn(url, 40);
    expect([countOf(answers, 'a'), countOf(answers, 'b'), countOf(answers, 'c')]).toEqual([0, 30, 10]);
  });

  it('is named in llm_attempts, once, before the one that answered', async () => {
    const { url, app } = await startLimited(onceOf('a'), {
      names: ['a', 'b'],
      config,
      instance: byName({ a: 2, b: 1 }, 'priority'),
    });
    await askInTurn(url, 2);
    expect(app.finished[1]).toMatchObject({
      llm_attempts: [
        { instance: 'a', skipped: 'rate_limited' },
        { instance: 'b', status: 200 },
      ],
      llm_instance: 'b',
      llm_outcome: 'complete',
    });
  });

  it('is told of in the headers beside the one that answered', async () => {
    const { url } = await startLimited(ONCE, {
      names: ['a', 'b'],
      config,
      instance: byName({ a: 2, b: 1 }, 'priority'),
    });
    await chat(url);
    const answer = await chat(url);
    expect([toldOf(answer, 'a').remaining, toldOf(answer, 'b').remaining]).toEqual([0, ANSWER_TOKENS]);
  });

  it("is answered in the limiter's words where no other has a quota either", async () => {
    const { url, upstream } = await startLimited(
      { ...ONCE, rejected_code: 429, rejected_msg: 'all gone' },
      { names: ['a', 'b', 'c'], config },
    );
    expect((await askInTurn(url, 3)).toSorted()).toEqual(['a', 'b', 'c']);
    const answer = await chat(url);
    expect([answer.status, await answer.json()]).toMatchObject([
      429,
      { error: { code: 'quota_exceeded', message: 'all gone' } },
    ]);
    expect(upstream.calls).toHaveLength(3);
  });

  it('is told of with all others where none has a quota', async () => {
    const { url, app } = await startLimited(ONCE, { names: ['a', 'b'], config });
    await askInTurn(url, 2);
    const answer = await chat(url);
    expect([toldOf(answer, 'a'), toldOf(answer, 'b')]).toMatchObject([
      { limit: ANSWER_TOKENS, remaining: 0 },
      { limit: ANSWER_TOKENS, remaining: 0 },
    ]);
    expect(app.finished[2]).toMatchObject({
      llm_attempts: [
        { instance: 'a', skipped: 'rate_limited' },
        { instance: 'b', skipped: 'rate_limited' },
      ],
      llm_outcome: 'rejected',
    });
  });

  it('is waited for no longer than it takes the first of them to be free again', async () => {
    const { url } = await startLimited(
      {
        instances: [
          { name: 'a', limit: 1, time_window: HOUR },
          { name: 'b', limit: 1, time_window: 60 },
        ],
      },
      { names: ['a', 'b'], config },
    );
    await askInTurn(url, 2);
    const wait = Number((await chat(url)).headers.get('retry-after'));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(60);
  });

  it('is the reason of the refusal also where others cannot serve the protocol', async () => {
    const { url } = await startLimited(onceOf('a'), {
      names: ['a', 'b'],
      config,
      instance: (name) => (name === 'b' ? { provider: 'deepseek' } : {}),
    });
    const embed = (): Promise<Response> => post(`${url}/v1/embeddings`, { input: 'Hi' });
    await (await embed()).text();
    const answer = await embed();
    expect([answer.status, codeIn(await answer.text())]).toEqual([503, 'quota_exceeded']);
  });

  it('is not replaced for a user without one', async () => {
    const { url } = await startLimited(
      { rules: [{ key: '$http_x_user', count: ANSWER_TOKENS, time_window: HOUR }] },
      { names: ['a', 'b'], config },
    );
    expect(await statusesOf(url, 2, { 'x-user': 'jane' })).toEqual([200, 503]);
  });
});

describe('without rate_limiting in fallback_strategy', () => {
  it('the turn of an instance without a quota is refused', async () => {
    const { url } = await startLimited(onceOf('a'), { names: ['a', 'b'] });
    expect(await askInTurn(url, 8)).toEqual(['a', 'b', '503', 'b', '503', 'b', '503', 'b']);
  });

  it('a refused turn tells of that instance alone', async () => {
    const { url, app } = await startLimited(onceOf('a', 'b'), { names: ['a', 'b'] });
    await askInTurn(url, 2);
    const answer = await chat(url);
    expect([answer.status, codeIn(await answer.text())]).toEqual([503, 'quota_exceeded']);
    expect(quotaHeaderNames(answer)).toHaveLength(3);
    expect(toldOf(answer, 'a').remaining).toBe(0);
    expect(app.finished[2]).toMatchObject({ llm_attempts: [{ instance: 'a', skipped: 'rate_limited' }] });
  });

  it('an instance of a lower priority does not stand in', async () => {
    const { url } = await startLimited(onceOf('first'), {
      names: ['first', 'second'],
      instance: byName({ first: 2, second: 1 }, 'priority'),
    });
    expect(await askInTurn(url, 3)).toEqual(['first', '503', '503']);
  });

  it('a user without a quota is refused at every instance', async () => {
    const { url } = await startLimited(
      { rules: [{ key: '$http_x_user', count: ANSWER_TOKENS, time_window: HOUR }] },
      { names: ['a', 'b'] },
    );
    expect(await statusesOf(url, 3, { 'x-user': 'jane' })).toEqual([200, 503, 503]);
  });

  it('a failure that would move on to an instance without a quota is the answer', async () => {
    const down = new Set<string>();
    const { url, app } = await startLimited(onceOf('b'), {
      names: ['a', 'b'],
      script: failFor(down, 500),
      config: { fallback_strategy: ['http_5xx'] },
    });
    expect(await askInTurn(url, 2)).toEqual(['a', 'b']);
    down.add('model-a');
    const answer = await chat(url);
    expect([answer.status, await answer.json()]).toEqual([500, { error: { message: 'down' } }]);
    expect(app.finished[2]).toMatchObject({
      llm_attempts: [
        { instance: 'a', status: 500 },
        { instance: 'b', skipped: 'rate_limited' },
      ],
      llm_instance: 'a',
    });
  });

  it('a failure moves on to an instance that has a quota', async () => {
    const { url } = await startLimited(onceOf('a', 'b'), {
      names: ['a', 'b'],
      script: failFor(new Set(['model-a']), 500),
      config: { fallback_strategy: ['http_5xx'] },
    });
    expect(await askInTurn(url, 1)).toEqual(['b']);
  });
});

describe('with rate_limiting and http_5xx in fallback_strategy', () => {
  const config: Pick<AiProxyMultiConfig, 'fallback_strategy'> = {
    fallback_strategy: ['rate_limiting', 'http_5xx'],
  };

  it('a failure passes over an instance without a quota to the next that has one', async () => {
    const down = new Set<string>();
    const { url } = await startLimited(onceOf('b'), {
      names: ['a', 'b', 'c'],
      script: failFor(down, 500),
      config,
      instance: byName({ a: 1, b: 2, c: 1 }, 'priority'),
    });
    expect(await askWho(url)).toBe('b');
    down.add('model-a');
    expect(await askInTurn(url, 3)).toEqual(['c', 'c', 'c']);
  });

  it('a failure is the answer where all others are without a quota', async () => {
    const { url } = await startLimited(onceOf('b'), {
      names: ['a', 'b'],
      script: failFor(new Set(['model-a']), 500),
      config,
    });
    expect(await askInTurn(url, 2)).toEqual(['b', '500']);
  });
});
