import { describe, expect, it } from 'vitest';
import { replaceable } from '../lib/replaceable.ts';

/** A part that is closed when the test says so. */
function makePart(name: string) {
  let finish = (): void => {};
  const closed = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { name, close: () => closed, finish: () => finish() };
}

describe('a replaceable part', () => {
  it('is the one that was put in last', () => {
    const parts = replaceable(makePart('a'));
    parts.replace(makePart('b'));
    expect(parts.current.name).toBe('b');
  });

  it('is closed only when all those that it has replaced are', async () => {
    const [first, second, third] = [makePart('a'), makePart('b'), makePart('c')];
    const parts = replaceable(first);
    parts.replace(second);
    parts.replace(third);
    let isClosed = false;
    const closed = parts.close().then(() => {
      isClosed = true;
    });
    for (const part of [third, second]) {
      part.finish();
      await new Promise(setImmediate);
      expect(isClosed).toBe(false);
    }
    first.finish();
    await closed;
  });
});
