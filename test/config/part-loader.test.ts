import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../lib/config/config-error.ts';
import { makePartLoader } from '../../lib/config/part-loader.ts';
import { recordWarnings } from './loading.ts';

function failAt(...paths: readonly string[]): () => never {
  return () => {
    throw new ConfigError(paths.map((path) => ({ path, message: 'is wrong' })));
  };
}

describe('a part loader', () => {
  it('gives back what a loader makes of its part', () => {
    const parts = makePartLoader(recordWarnings());
    expect(parts.load(['a'], () => 5)).toBe(5);
    expect(parts.faults).toEqual([]);
  });

  it.each([
    [[], '', ''],
    [[], 'limit', 'limit'],
    [['routes', 0], '', 'routes[0]'],
    [['routes', 0], 'uri', 'routes[0].uri'],
    [['routes', 0], '["a b"].c', 'routes[0]["a b"].c'],
    [['plugins', 'ai-proxy'], 'instances[1].name', 'plugins["ai-proxy"].instances[1].name'],
  ])('tells a fault below %j at "%s" as one at "%s"', (path, below, expected) => {
    const parts = makePartLoader(recordWarnings());
    expect(parts.load(path, failAt(below))).toBeUndefined();
    expect(parts.faults).toEqual([{ path: expected, message: 'is wrong' }]);
  });

  it('gathers the faults of all parts, however deep', () => {
    const parts = makePartLoader(recordWarnings());
    parts.load(['a'], failAt('x', 'y'));
    parts.load(['b'], (logger) => {
      const inner = makePartLoader(logger);
      inner.load(['c'], failAt('z'));
      throw new ConfigError(inner.faults);
    });
    expect(parts.faults.map(({ path }) => path)).toEqual(['a.x', 'a.y', 'b.c.z']);
  });

  it('tells warnings at their place in the whole, and leaves other data alone', () => {
    const logger = recordWarnings();
    makePartLoader(logger).load(['routes', 1], (below) => {
      below.warn({ path: 'uri' }, 'first');
      below.warn({}, 'second');
    });
    expect(logger.warnings).toEqual([
      { path: 'routes[1].uri', message: 'first' },
      { path: undefined, message: 'second' },
    ]);
  });

  it('lets through what is no ConfigError', () => {
    const parts = makePartLoader(recordWarnings());
    const fail = () => {
      throw new RangeError('a mistake of ours');
    };
    expect(() => parts.load(['a'], fail)).toThrow(RangeError);
  });
});
