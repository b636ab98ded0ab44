/** `balancer.algorithm` by metrics, an extension of this package, with real upstreams. */
import { describe, expect, it } from 'vitest';
import { type App, instance, post, startApp } from '../support/app.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { answerJson, chatAnswer, echoModel, startUpstream } from '../support/upstream.ts';

const servedBy = { host: { servedByHeader: 'x-served-by' } };

async function ask({ url }: App): Promise<string | null> {
  const answer = await post(url);
  await answer.text();
  return answer.headers.get('x-served-by');
}

async function askInTurn(app: App, count: number): Promise<readonly (string | null)[]> {
  const names: (string | null)[] = [];
  while (names.length < count) names.push(await ask(app));
  return names;
}

describe('least_busy', () => {
  it('sends to whoever has the fewest requests under way, by weight', async () => {
    const [a, b] = [await startHolding(), await startHolding()];
    const app = await startApp(
      {
        balancer: { algorithm: 'least_busy' },
        instances: [instance('a', a.url, { weight: 2 }), instance('b', b.url)],
      },
      servedBy,
    );
    const asked = Array.from({ length: 6 }, () => ask(app));
    await Promise.all([a.holding(4), b.holding(2)]);
    expect(app.middleware.status().instances.map(({ in_flight }) => in_flight)).toEqual([4, 2]);
    a.release();
    b.release();
    await Promise.all(asked);
    expect(app.middleware.status().instances.map(({ in_flight }) => in_flight)).toEqual([0, 0]);
  });
});

describe('least_latency', () => {
  it('tries everybody once, then sends to the quickest', async () => {
    const slow = await startUpstream((_call, res) =>
      setTimeout(() => answerJson(res, 200, chatAnswer('slow')), 300),
    );
    const quick = await startUpstream(echoModel());
    const app = await startApp(
      {
        balancer: { algorithm: 'least_latency' },
        instances: [instance('slow', slow.url), instance('quick', quick.url)],
      },
      servedBy,
    );
    expect((await askInTurn(app, 2)).toSorted()).toEqual(['quick', 'slow']);
    expect(await askInTurn(app, 5)).toEqual(Array(5).fill('quick'));
  });
});

describe('least_cost', () => {
  it('sends to the cheapest, then to the next; those without a price come last', async () => {
    const upstreams = [
      await startUpstream(echoModel()),
      await startUpstream((_call, res) => answerJson(res, 500, {})),
      await startUpstream((_call, res) => answerJson(res, 500, {})),
    ];
    const [unpriced, cheap, dear] = upstreams.map(({ url }) => url);
    const cost = (price: number) => ({ cost: { input_per_1k: price, output_per_1k: price } });
    const app = await startApp(
      {
        balancer: { algorithm: 'least_cost' },
        fallback_strategy: ['http_5xx'],
        instances: [
          instance('unpriced', unpriced ?? ''),
          instance('dear', dear ?? '', cost(0.03)),
          instance('cheap', cheap ?? '', cost(0.001)),
        ],
      },
      servedBy,
    );
    expect(await ask(app)).toBe('unpriced');
    expect((await app.ended(1))[0]?.llm_attempts).toMatchObject([
      { instance: 'cheap', status: 500 },
      { instance: 'dear', status: 500 },
      { instance: 'unpriced', status: 200 },
    ]);
  });
});
