import { expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { describeWithRedis, type RedisServer, startRedis, until } from '../support/redis.ts';
import { answerJson, chatAnswer } from '../support/upstream.ts';
import { ANSWER_TOKENS, HOUR, startLimited } from './limited.ts';

/** Milliseconds, for connecting and for each answer. */
const TIMEOUT_MS = 1000;

function limits({ host, port }: RedisServer, limit: number, more: object = {}) {
  return {
    instances: [{ name: 'a', limit, time_window: HOUR }],
    policy: 'redis' as const,
    redis_host: host,
    redis_port: port,
    redis_timeout: TIMEOUT_MS,
    ...more,
  };
}

async function statusOf(url: string): Promise<number> {
  const answer = await post(url);
  await answer.text();
  return answer.status;
}

/** What the next request would find left, without using any of it. */
async function remaining(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/models`);
  await answer.text();
  return Number(answer.headers.get('x-ai-ratelimit-remaining-a'));
}

describeWithRedis('a quota in Redis', () => {
  it('is one quota for all gateways, to the token', async () => {
    const redis = await startRedis();
    const limit = 20 * ANSWER_TOKENS;
    const gateways = await Promise.all(
      // A `secret` of its own gives each of them a connection of its own, as in two processes.
      [1, 2].map(() => startLimited(limits(redis, limit), { limiterHost: { secret: () => '' } })),
    );
    const [one, other] = gateways;
    await Promise.all(gateways.flatMap(({ url }) => Array.from({ length: 6 }, () => statusOf(url))));
    await until(async () => (await remaining(one?.url ?? '')) === limit - 12 * ANSWER_TOKENS);
    expect(await remaining(other?.url ?? '')).toBe(limit - 12 * ANSWER_TOKENS);
  });

  it('answers 500 in the shape of the protocol while Redis says nothing, and again 200 when it does', async () => {
    const redis = await startRedis();
    const { url } = await startLimited(limits(redis, 1000));
    expect(await statusOf(url)).toBe(200);
    redis.pause();
    const answer = await post(url);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({ error: { code: 'quota_unavailable' } });
    redis.resume();
    await until(async () => (await statusOf(url)) === 200);
  });

  it('is no limit while Redis is down, with allow_degradation', async () => {
    const redis = await startRedis();
    const { url } = await startLimited(limits(redis, 1, { allow_degradation: true }));
    expect(await statusOf(url)).toBe(200);
    await until(async () => (await statusOf(url)) === 503);
    await redis.stop();
    await until(async () => (await statusOf(url)) === 200);
    const answer = await post(url);
    await answer.text();
    expect(answer.status).toBe(200);
    expect(answer.headers.has('x-ai-ratelimit-limit-a')).toBe(false);
  });

  it('lets no client wait for its charge', async () => {
    const redis = await startRedis();
    const { url, app } = await startLimited(limits(redis, 1000), {
      script(_call, res) {
        redis.pause();
        answerJson(res, 200, chatAnswer('Hi'));
      },
    });
    const answer = await post(url);
    expect(answer.status).toBe(200);
    await answer.text();
    await app.ended(1);
    redis.resume();
  });

  it('survives the death of Redis under load: every request is answered, and limits hold again after it', async () => {
    const redis = await startRedis();
    const { url, app } = await startLimited(limits(redis, 40 * ANSWER_TOKENS));
    const seen = new Map<number, number>();
    let isOver = false;
    const loads = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const status = await statusOf(url);
        seen.set(status, (seen.get(status) ?? 0) + 1);
      }
    });
    const hasSeen = (status: number) => until(async () => (seen.get(status) ?? 0) > 0);
    await hasSeen(200);
    await redis.stop();
    await hasSeen(500);
    seen.clear();
    await redis.restart();
    // An empty Redis knows nothing of what was used before.
    await hasSeen(200);
    await hasSeen(503);
    isOver = true;
    await Promise.all(loads);
    expect([...seen.keys()].filter((status) => ![200, 500, 503].includes(status))).toEqual([]);
    expect(app.middleware.status().in_flight).toBe(0);
  });

  it('shows its password nowhere while Redis refuses it, and works once it is right', async () => {
    const redis = await startRedis({ password: 'right-password' });
    const { url, logs } = await startLimited(limits(redis, 1000, { redis_password: 'wrong-password' }));
    const answer = await post(url);
    expect(answer.status).toBe(500);
    const said = JSON.stringify([await answer.text(), logs]);
    expect(said).not.toContain('wrong-password');
    expect(said).toContain('Redis cannot be reached');
    await redis.call('config', 'set', 'requirepass', 'wrong-password');
    await until(async () => (await statusOf(url)) === 200);
  });

  it('keeps keys with the prefix, and they end with their window', async () => {
    const redis = await startRedis();
    const { url } = await startLimited(limits(redis, 1000, { redis_key_prefix: 'shop' }));
    await statusOf(url);
    let keys: unknown = [];
    await until(async () => {
      keys = await redis.call('keys', '*');
      return Array.isArray(keys) && keys.length > 0;
    });
    expect(keys).toEqual([expect.stringMatching(/^shop:[0-9a-f]{12}:/)]);
    const [key] = Array.isArray(keys) ? keys.map(String) : [];
    expect(Number(await redis.call('ttl', key ?? ''))).toBeGreaterThan(HOUR - 60);
  });
});
