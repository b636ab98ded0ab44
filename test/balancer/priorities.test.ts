import { describe, expect, it } from 'vitest';
import { type InstanceConfig, instance, startApp } from '../support/app.ts';
import { startUpstream } from '../support/upstream.ts';
import { askInTurn, askWho, countOf, failFor, modelIn } from './ask.ts';

type Fields = Partial<InstanceConfig>;

async function startRanked(
  ranked: Readonly<Record<string, Fields>>,
  { down = new Set<string>(), host = {}, more = {} } = {},
) {
  const upstream = await startUpstream(failFor(down));
  const instances = Object.entries(ranked).map(([name, fields]) => instance(name, upstream.url, fields));
  return { upstream, app: await startApp({ ...more, instances }, { host }) };
}

const fallback = { fallback_strategy: ['http_5xx'] } satisfies Record<string, unknown>;

describe('priorities', () => {
  it('sends everything to the higher number, whatever the weights', async () => {
    const { app } = await startRanked({ low: { priority: 0, weight: 9 }, high: { priority: 1, weight: 1 } });
    expect(await askInTurn(app.url, 4)).toEqual(['high', 'high', 'high', 'high']);
  });

  it('takes 0 for a priority that is missing', async () => {
    const { app } = await startRanked({ below: { priority: -1 }, unset: {} });
    expect(await askInTurn(app.url, 2)).toEqual(['unset', 'unset']);
  });

  it('sends everything to the lower number with priorityOrder lowest-first', async () => {
    const { app } = await startRanked(
      { second: { priority: 2 }, first: { priority: 1 } },
      { host: { priorityOrder: 'lowest-first' } },
    );
    expect(await askInTurn(app.url, 2)).toEqual(['first', 'first']);
  });

  it('goes down the tiers one by one as instances fail', async () => {
    const down = new Set(['model-a', 'model-b']);
    const { app, upstream } = await startRanked(
      { c: { priority: 1 }, a: { priority: 3 }, b: { priority: 2 } },
      { down, more: fallback },
    );
    expect(await askWho(app.url)).toBe('c');
    expect(upstream.calls.map(({ body }) => modelIn(body))).toEqual(['model-a', 'model-b', 'model-c']);
  });

  it('goes up the tiers with priorityOrder lowest-first', async () => {
    const down = new Set(['model-a']);
    const { app, upstream } = await startRanked(
      { c: { priority: 3 }, a: { priority: 1 }, b: { priority: 2 } },
      { down, more: fallback, host: { priorityOrder: 'lowest-first' } },
    );
    expect(await askWho(app.url)).toBe('b');
    expect(upstream.calls.map(({ body }) => modelIn(body))).toEqual(['model-a', 'model-b']);
  });

  it('tries the rest of a tier before the next one', async () => {
    const down = new Set(['model-a', 'model-b']);
    const { app, upstream } = await startRanked(
      { a: { priority: 1 }, b: { priority: 1 }, reserve: { priority: 0 } },
      { down, more: fallback },
    );
    expect(await askWho(app.url)).toBe('reserve');
    expect(upstream.calls.map(({ body }) => modelIn(body))).toEqual(['model-a', 'model-b', 'model-reserve']);
  });

  it('balances by weight within a tier', async () => {
    const { app } = await startRanked({
      a: { priority: 1, weight: 3 },
      b: { priority: 1, weight: 1 },
      reserve: { priority: 0, weight: 50 },
    });
    const names = await askInTurn(app.url, 8);
    expect(countOf(names, 'a')).toBe(6);
    expect(countOf(names, 'b')).toBe(2);
  });

  it('uses a tier whose weights are all 0 before a lower one', async () => {
    const { app } = await startRanked({ high: { priority: 1, weight: 0 }, low: { priority: 0, weight: 5 } });
    expect(await askInTurn(app.url, 3)).toEqual(['high', 'high', 'high']);
  });

  it('answers a failure as it is where no fallback is configured, lower tier or not', async () => {
    const { app, upstream } = await startRanked(
      { high: { priority: 1 }, low: { priority: 0 } },
      { down: new Set(['model-high']) },
    );
    expect(await askWho(app.url)).toBe('503');
    expect(upstream.calls).toHaveLength(1);
  });
});
