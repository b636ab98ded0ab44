import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hasSecretReference, SecretStore } from '../../lib/config/references.ts';

describe('hasSecretReference', () => {
  it.each([
    ['$secret://vault/1/john/key', true],
    ['Bearer $SECRET://a', true],
    ['secret://vault', false],
    ['$secret://', false],
    ['$env://KEY', false],
    ['', false],
  ])('%s: %s', (text, expected) => {
    expect(hasSecretReference(text)).toBe(expected);
    expect(hasSecretReference(text)).toBe(expected);
  });
});

describe('a SecretStore', () => {
  afterEach(() => vi.restoreAllMocks());
  const answering = () => vi.fn(async (reference: string) => `<${reference.split('/').at(-1)}>`);

  it.each([
    ['$secret://vault/a', '<a>'],
    ['Bearer $secret://vault/a', 'Bearer <a>'],
    ['$secret://a $secret://b,$SECRET://c"$secret://d"', '<a> <b>,<c>"<d>"'],
    ["'$secret://a'", "'<a>'"],
  ])('fills %s', async (text, expected) => {
    expect(await new SecretStore(answering()).fill(text)).toBe(expected);
  });

  it('answers at once for a text without references, and for one whose secrets it remembers', async () => {
    const store = new SecretStore(answering());
    expect(store.fill('plain')).toBe('plain');
    await store.fill('$secret://a');
    expect(store.fill('x $secret://a')).toBe('x <a>');
  });

  it('puts in a secret as it is, whatever it looks like', async () => {
    const store = new SecretStore(() => '$& $secret://a');
    expect(await store.fill('<$secret://a >')).toBe('<$& $secret://a >');
  });

  it('remembers an empty secret, too', async () => {
    const resolve = vi.fn(() => '');
    const store = new SecretStore(resolve);
    await store.fill('$secret://a');
    expect(store.fill('[$secret://a ]')).toBe('[ ]');
    expect(resolve).toHaveBeenCalledTimes(1);
  });

  it('asks once for what many ask for at the same time', async () => {
    const resolve = answering();
    const store = new SecretStore(resolve);
    const texts = await Promise.all([
      store.fill('$secret://a'),
      store.fill('$secret://a $secret://a'),
      store.fill('$secret://b'),
    ]);
    expect(texts).toEqual(['<a>', '<a> <a>', '<b>']);
    expect(resolve.mock.calls).toEqual([['$secret://a'], ['$secret://b']]);
  });

  it('asks again after five minutes', async () => {
    const start = performance.now();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(start);
    const resolve = answering();
    const store = new SecretStore(resolve);
    await store.fill('$secret://a');
    for (const [elapsedMs, calls] of [
      [5 * 60 * 1000 - 1, 1],
      [5 * 60 * 1000 + 1, 2],
    ] as const) {
      clock.mockReturnValue(start + elapsedMs);
      // lru-cache looks at the clock at most once in a millisecond.
      await setTimeout(5);
      await store.fill('$secret://a');
      expect(resolve).toHaveBeenCalledTimes(calls);
    }
  });

  it('remembers no more than a thousand', async () => {
    const resolve = answering();
    const store = new SecretStore(resolve);
    for (let index = 0; index <= 1000; index++) await store.fill(`$secret://${index}`);
    expect(store.fill('$secret://1000')).toBe('<1000>');
    expect(store.fill('$secret://0')).toBeInstanceOf(Promise);
  });

  it('does not remember a failure', async () => {
    const resolve = vi.fn(async () => 'found').mockRejectedValueOnce(new Error('sealed'));
    const store = new SecretStore(resolve);
    await expect(store.fill('$secret://a')).rejects.toThrow('The secret $secret://a could not be resolved');
    expect(await store.fill('$secret://a')).toBe('found');
  });

  it.each([
    ['rejects', async () => Promise.reject(new Error('token s.hunter2 expired'))],
    [
      'throws',
      () => {
        throw new Error('token s.hunter2 expired');
      },
    ],
    // What a resolver written in JavaScript may do.
    ['answers with nothing', () => JSON.parse('null')],
    ['answers with an object', () => JSON.parse('{"value":"hunter2"}')],
  ])('names only the reference when the host %s', async (_what, resolve) => {
    const failure = new SecretStore(resolve).fill('hunter2 $secret://vault/a');
    const error = await Promise.resolve(failure).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(inspect(error, { depth: 9, showHidden: true })).toContain('$secret://vault/a');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  it('rejects when there is no host.secret at all', async () => {
    await expect(new SecretStore(undefined).fill('$secret://a')).rejects.toThrow('$secret://a');
  });
});
