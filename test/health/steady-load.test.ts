import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { startPair } from './pair.ts';

describe('a steady load', () => {
  it.each(['answers 503', 'does not listen'] as const)(
    'loses no request while an instance %s for a while, with fallback on',
    async (how) => {
      const { app, a, b } = await startPair({ fallback_strategy: ['http_429', 'http_5xx'] });
      let isOver = false;
      const statuses: number[] = [];
      const client = async (): Promise<void> => {
        while (!isOver) {
          const answer = await post(app.url);
          await answer.text();
          statuses.push(answer.status);
          await pause(5);
        }
      };
      const clients = [client(), client(), client(), client()];
      await app.until('a', 'healthy');
      await (how === 'answers 503' ? a.fallIll() : a.goAway());
      await app.until('a', 'unhealthy');
      const served = b.requests.length;
      await (how === 'answers 503' ? a.recover() : a.comeBack());
      await app.until('a', 'healthy');
      const before = a.requests.length;
      await app.ended(app.finished.length + 20);
      isOver = true;
      await Promise.all(clients);
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
      expect(served).toBeGreaterThan(0);
      expect(a.requests.length).toBeGreaterThan(before);
    },
  );
});
