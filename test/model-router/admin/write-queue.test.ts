import { describe, expect, it } from 'vitest';
import { makeWriteQueue } from '../../../lib/model-router/admin/write-queue.ts';
import { defer } from './deferred.ts';

describe('the queue of writes', () => {
  it('runs them in the order in which they came, one at a time', async () => {
    const queue = makeWriteQueue();
    const seen: string[] = [];
    const write = (name: string) => async () => {
      seen.push(`${name} begins`);
      await Promise.resolve();
      seen.push(`${name} ends`);
      return name;
    };
    expect(await Promise.all([queue(write('a')), queue(write('b'))])).toEqual(['a', 'b']);
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('tells a failure to whoever asked, and goes on', async () => {
    const queue = makeWriteQueue();
    const failing = queue(() => Promise.reject(new Error('full')));
    const next = queue(async () => 'next');
    await expect(failing).rejects.toThrow('full');
    expect(await next).toBe('next');
  });

  it('refuses more than 256 that wait for a store that hangs, and takes some again once it works', async () => {
    const queue = makeWriteQueue();
    const hanging = defer();
    const waiting = [
      queue(() => hanging.promise),
      ...Array.from({ length: 255 }, () => queue(async () => {})),
    ];
    await expect(queue(async () => {})).rejects.toMatchObject({ status: 503 });
    hanging.resolve();
    await Promise.all(waiting);
    expect(await queue(async () => 'taken')).toBe('taken');
  });
});
