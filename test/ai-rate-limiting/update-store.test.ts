import { once } from 'node:events';
import { type AiRateLimitingConfig, aiProxyMulti } from 'ai-proxy-multi';
import { expect, it, onTestFinished } from 'vitest';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import { startVault } from '../apisix-router/routing.ts';
import type { Handler } from '../frameworks/frameworks.ts';
import { bareHttp, makeGate } from '../key-auth/gate.ts';
import { instance, post, serve } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { describeWithRedis, type RedisServer, startRedis, until } from '../support/redis.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { ANSWER_TOKENS, HOUR, makeLimiter, startLimited } from './limited.ts';

function limitsIn({ host, port }: RedisServer): AiRateLimitingConfig {
  return { limit: 1000, time_window: HOUR, policy: 'redis', redis_host: host, redis_port: port };
}

/** What every counter there has come to. */
async function countersIn(redis: RedisServer): Promise<unknown[]> {
  const keys = await redis.call('KEYS', '*');
  return Array.isArray(keys) ? Promise.all(keys.map((key) => redis.call('GET', String(key)))) : [];
}

async function clientsOf(redis: RedisServer): Promise<number> {
  return String(await redis.call('CLIENT', 'LIST'))
    .trim()
    .split('\n').length;
}

/** A middleware that lets the first request go on when it is told to, and all later ones at once. */
function makeGateKeeper() {
  let arrived = (): void => {};
  const first = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isFirst = true;
  const handler: Handler = (_req, _res, next) => {
    if (!isFirst) return next();
    isFirst = false;
    arrived();
    return released.then(() => next());
  };
  return { handler, first, release };
}

describeWithRedis('a request that stands between the limiter and the gateway', () => {
  it('is counted in the Redis it came in with, though an update names another one', async () => {
    const [before, after] = [await startRedis(), await startRedis()];
    const keeper = makeGateKeeper();
    const { url, limiter } = await startLimited(limitsIn(before), {
      between: (app) => app.use(keeper.handler),
    });
    const answer = post(url);
    await keeper.first;
    limiter.update(limitsIn(after));
    // Long enough for the connection to be closed, were it not needed any more.
    await (await post(url)).text();
    keeper.release();
    expect((await answer).status).toBe(200);
    await limiter.close();
    expect([await countersIn(before), await countersIn(after)]).toEqual([
      [String(ANSWER_TOKENS)],
      [String(ANSWER_TOKENS)],
    ]);
  });

  it('keeps a consumer of keyAuth the Redis of the limits it came in with', async () => {
    const [before, after] = [await startRedis(), await startRedis()];
    const keeper = makeGateKeeper();
    const consumersWith = (redis: RedisServer): ConsumerConfig[] => [
      { username: 'jane', plugins: { 'key-auth': { key: 'k' }, 'ai-rate-limiting': limitsIn(redis) } },
    ];
    const { middleware } = makeGate({}, { consumers: consumersWith(before) });
    const llm = await startUpstream(echoModel());
    const gateway = aiProxyMulti({ instances: [instance('a', llm.url)] });
    onTestFinished(() => gateway.close());
    const { url } = await serve(bareHttp.listenerOf([middleware, keeper.handler, gateway]));
    const init = { headers: { apikey: 'k' } };
    const answer = post(url, undefined, init);
    await keeper.first;
    middleware.update({}, { consumers: consumersWith(after) });
    await (await post(url, undefined, init)).text();
    keeper.release();
    expect((await answer).status).toBe(200);
    await middleware.close();
    expect([await countersIn(before), await countersIn(after)]).toEqual([
      [String(ANSWER_TOKENS)],
      [String(ANSWER_TOKENS)],
    ]);
  });

  it('keeps them also while the key it came with is being looked up', async () => {
    const [before, after] = [await startRedis(), await startRedis()];
    const consumersWith = (redis: RedisServer): ConsumerConfig[] => [
      {
        username: 'jane',
        plugins: { 'key-auth': { key: '$secret://vault/jane' }, 'ai-rate-limiting': limitsIn(redis) },
      },
    ];
    const vault = startVault();
    const { middleware } = makeGate({}, { consumers: consumersWith(before), ...vault.host });
    const llm = await startUpstream(echoModel());
    const gateway = aiProxyMulti({ instances: [instance('a', llm.url)] });
    onTestFinished(() => gateway.close());
    const { url, server } = await serve(bareHttp.listenerOf([middleware, gateway]));
    const answer = post(url, undefined, { headers: { apikey: 'k' } });
    await once(server, 'request');
    middleware.update({}, { consumers: consumersWith(after) });
    // Long enough for the connection to be closed, were it not needed any more.
    await countersIn(before);
    vault.tell('k');
    expect((await answer).status).toBe(200);
    await middleware.close();
    expect(await countersIn(before)).toEqual([String(ANSWER_TOKENS)]);
  });

  it('holds the replaced connection no longer once its client has gone', async () => {
    const [before, after] = [await startRedis(), await startRedis()];
    const keeper = makeGateKeeper();
    const { app, limiter } = await startLimited(limitsIn(before), {
      between: (express) => express.use(keeper.handler),
    });
    const client = await connectRaw(app.port);
    client.write(rawPost('/', '{"messages":[]}'));
    await keeper.first;
    limiter.update(limitsIn(after));
    client.socket.destroy();
    // The one that asks.
    await until(async () => (await clientsOf(before)) === 1);
    await limiter.close();
  });
});

describeWithRedis('close()', () => {
  it('waits for a request that has come through and has not been asked about yet', async () => {
    const redis = await startRedis();
    const keeper = makeGateKeeper();
    const { limiter } = makeLimiter(limitsIn(redis));
    const { url } = await startLimited(
      { limit: 1000, time_window: HOUR },
      {
        before: (app) => app.use(limiter),
        between: (app) => app.use(keeper.handler),
      },
    );
    const answer = post(url);
    await keeper.first;
    const closed = limiter.close();
    keeper.release();
    const response = await answer;
    expect(response.status).toBe(200);
    await Promise.all([response.text(), closed]);
    expect(await countersIn(redis)).toEqual([String(ANSWER_TOKENS)]);
  });
});
