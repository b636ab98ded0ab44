import { describe, expect, it } from 'vitest';
import type { LoadedUsageLimits } from '../../lib/config/loaded-model-router.ts';
import { makeUsageMeter, type UsageMeter } from '../../lib/model-router/usage-limits.ts';

const NOW_MS = 1_800_000_000_000;

function meterFor(limits: LoadedUsageLimits): UsageMeter {
  const meter = makeUsageMeter(limits);
  if (meter === undefined) throw new Error('nothing is limited');
  return meter;
}

/** A request that begins and ends at the same time. */
function serve(meter: UsageMeter, nowMs: number, tokens = 0): void {
  meter.begin(nowMs);
  meter.end(tokens, nowMs);
}

describe('requests per time', () => {
  it.each<[keyof LoadedUsageLimits, number]>([
    ['rps', 1000],
    ['rpm', 60_000],
    ['rph', 3_600_000],
    ['rpd', 86_400_000],
  ])('%s lets as many begin in %i ms, and then again', (name, lengthMs) => {
    const meter = meterFor({ [name]: 2 });
    serve(meter, NOW_MS);
    expect(meter.waitMs(NOW_MS + 10)).toBe(0);
    serve(meter, NOW_MS + 10);
    expect(meter.waitMs(NOW_MS + 10)).toBe(lengthMs - 10);
    expect(meter.waitMs(NOW_MS + lengthMs)).toBe(0);
  });

  it('counts a request when it begins', () => {
    const meter = meterFor({ rpm: 1 });
    meter.begin(NOW_MS);
    expect(meter.waitMs(NOW_MS)).toBe(60_000);
  });

  it('waits for the window that takes longest', () => {
    const meter = meterFor({ rps: 1, rpm: 1 });
    serve(meter, NOW_MS);
    expect(meter.waitMs(NOW_MS)).toBe(60_000);
  });

  it('counts nothing by asking', () => {
    const meter = meterFor({ rps: 1 });
    for (let count = 0; count < 5; count++) expect(meter.waitMs(NOW_MS)).toBe(0);
  });
});

describe('tokens per time', () => {
  it.each<[keyof LoadedUsageLimits, number]>([
    ['tpm', 60_000],
    ['tpd', 86_400_000],
  ])('%s lets requests begin until they are used up, and again after %i ms', (name, lengthMs) => {
    const meter = meterFor({ [name]: 100 });
    serve(meter, NOW_MS, 99);
    expect(meter.waitMs(NOW_MS)).toBe(0);
    serve(meter, NOW_MS + 5, 1);
    expect(meter.waitMs(NOW_MS + 5)).toBe(lengthMs - 5);
    expect(meter.waitMs(NOW_MS + lengthMs)).toBe(0);
  });

  it('lets one request go over the limit, since nobody knows before what it takes', () => {
    const meter = meterFor({ tpm: 10 });
    serve(meter, NOW_MS, 5000);
    expect(meter.status(NOW_MS).tpm).toEqual({ limit: 10, remaining: 0, resetsAtMs: NOW_MS + 60_000 });
    expect(meter.waitMs(NOW_MS + 60_000)).toBe(0);
  });

  it('charges tokens to the window in which a request ends', () => {
    const meter = meterFor({ tpm: 10 });
    meter.begin(NOW_MS);
    meter.end(10, NOW_MS + 90_000);
    expect(meter.waitMs(NOW_MS + 90_000)).toBe(60_000);
  });

  it.each([0, -50, Number.NaN, Number.NEGATIVE_INFINITY])(
    'neither charges nor gives back %d tokens',
    (tokens) => {
      const meter = meterFor({ tpm: 10 });
      serve(meter, NOW_MS, 4);
      serve(meter, NOW_MS, tokens);
      expect(meter.status(NOW_MS).tpm?.remaining).toBe(6);
    },
  );

  it('forgets even an endless number of tokens with the window', () => {
    const meter = meterFor({ tpm: 10 });
    serve(meter, NOW_MS, Number.POSITIVE_INFINITY);
    expect(meter.waitMs(NOW_MS)).toBe(60_000);
    serve(meter, NOW_MS + 60_000, 1);
    expect(meter.status(NOW_MS + 60_000).tpm?.remaining).toBe(9);
  });
});

describe('concurrency', () => {
  it('lets as many be under way at a time', () => {
    const meter = meterFor({ concurrency: 2 });
    meter.begin(NOW_MS);
    expect(meter.waitMs(NOW_MS)).toBe(0);
    meter.begin(NOW_MS);
    expect(meter.waitMs(NOW_MS)).toBe(1000);
    meter.end(0, NOW_MS);
    expect(meter.waitMs(NOW_MS)).toBe(0);
  });

  it('frees no place by time', () => {
    const meter = meterFor({ concurrency: 1 });
    meter.begin(NOW_MS);
    expect(meter.waitMs(NOW_MS + 86_400_000)).toBe(1000);
  });

  it('frees a place whatever the tokens are', () => {
    const meter = meterFor({ concurrency: 1 });
    serve(meter, NOW_MS, Number.NaN);
    expect(meter.waitMs(NOW_MS)).toBe(0);
  });

  it('waits for the longer of a place and a window', () => {
    const meter = meterFor({ concurrency: 1, rpm: 1 });
    meter.begin(NOW_MS);
    expect(meter.waitMs(NOW_MS)).toBe(60_000);
    expect(meter.waitMs(NOW_MS + 59_900)).toBe(1000);
  });
});

describe('the clock', () => {
  it('locks nobody out when it is put back', () => {
    const meter = meterFor({ rps: 1, tpm: 1 });
    serve(meter, NOW_MS, 1);
    const backMs = NOW_MS - 30 * 86_400_000;
    expect(meter.waitMs(backMs)).toBe(60_000);
    expect(meter.waitMs(backMs + 60_000)).toBe(0);
  });
});

describe('what is left', () => {
  it('is told of each limit there is', () => {
    const meter = meterFor({ rps: 5, tpd: 100, concurrency: 3 });
    serve(meter, NOW_MS, 30);
    meter.begin(NOW_MS);
    expect(meter.status(NOW_MS + 10)).toEqual({
      rps: { limit: 5, remaining: 3, resetsAtMs: NOW_MS + 1000 },
      tpd: { limit: 100, remaining: 70, resetsAtMs: NOW_MS + 86_400_000 },
      concurrency: { limit: 3, remaining: 2, resetsAtMs: undefined },
    });
  });

  it('is everything before the first request', () => {
    expect(meterFor({ rph: 5 }).status(NOW_MS)).toEqual({
      rph: { limit: 5, remaining: 5, resetsAtMs: undefined },
    });
  });
});

it('is no meter at all where nothing is limited', () => {
  expect(makeUsageMeter({})).toBeUndefined();
});
