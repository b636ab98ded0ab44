import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type InstanceConfig, instance, post, startApp } from '../support/app.ts';
import { type RawUpstream, startRawUpstream } from '../support/broken-upstreams.ts';
import { answerJson, echoModel, startUpstream, type Upstream } from '../support/upstream.ts';

const startFailing = (status = 500): Promise<Upstream> =>
  startUpstream((call, res) => answerJson(res, status, { from: call.headers.authorization }));

type Instances = [InstanceConfig, ...InstanceConfig[]];

function instancesOf<Item>(
  [first, ...others]: readonly [Item, ...Item[]],
  make: (item: Item, index: number) => InstanceConfig,
): Instances {
  return [make(first, 0), ...others.map((item, index) => make(item, index + 1))];
}

/** Instances in the order in which they are tried. */
const inOrder = (...upstreams: [Upstream | RawUpstream, ...(Upstream | RawUpstream)[]]): Instances =>
  instancesOf(upstreams, ({ url }, index) => instance(`i${index}`, url, { priority: -index }));

describe('max_retries', () => {
  it('0 answers with the first failure', async () => {
    const [bad, good] = [await startFailing(), await startUpstream(echoModel())];
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      max_retries: 0,
      instances: inOrder(bad, good),
    });
    const answer = await post(app.url);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ from: 'Bearer key-i0' });
    expect(good.calls).toHaveLength(0);
  });

  it('1 tries two instances, and answers with the second failure as it is', async () => {
    const [first, second] = [await startFailing(500), await startFailing(503)];
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      max_retries: 1,
      instances: inOrder(first, second, good),
    });
    const answer = await post(app.url);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ from: 'Bearer key-i1' });
    expect(good.calls).toHaveLength(0);
  });

  it('does not count an instance that is skipped since it does not speak the protocol', async () => {
    const [bad, anthropic] = [await startFailing(), await startUpstream(echoModel())];
    const good = await startUpstream(echoModel());
    const [first, ...others] = inOrder(bad, anthropic, good);
    const instances: typeof others = others.map((config, index) =>
      index === 0 ? { ...config, provider: 'deepseek' } : config,
    );
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      max_retries: 1,
      instances: [first, ...instances],
    });
    const answer = await post(`${app.url}/v1/embeddings`, { input: 'text' });
    expect(answer.status).toBe(200);
    expect(anthropic.calls).toHaveLength(0);
    expect((await app.ended(1))[0]?.llm_attempts).toMatchObject([
      { instance: 'i0', status: 500 },
      { instance: 'i1', skipped: 'protocol_not_supported' },
      { instance: 'i2', status: 200 },
    ]);
  });
});

describe('retry_on_failure_within_ms', () => {
  it('answers with a failure that came too late', async () => {
    const bad = await startUpstream(async (_call, res) => {
      await wait(60);
      answerJson(res, 500, { from: 'late' });
    });
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      retry_on_failure_within_ms: 20,
      instances: inOrder(bad, good),
    });
    const answer = await post(app.url);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ from: 'late' });
    expect(good.calls).toHaveLength(0);
  });

  it('moves on after a failure that came in time', async () => {
    const [bad, good] = [await startFailing(), await startUpstream(echoModel())];
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      retry_on_failure_within_ms: 600_000,
      instances: inOrder(bad, good),
    });
    expect((await post(app.url)).status).toBe(200);
  });
});

describe('one request', () => {
  it('tries each instance at most once', async () => {
    const upstreams = [await startFailing(), await startFailing(), await startFailing()] as const;
    const app = await startApp({ fallback_strategy: 'http_5xx', instances: inOrder(...upstreams) });
    expect((await post(app.url)).status).toBe(500);
    expect(upstreams.map((upstream) => upstream.calls.length)).toEqual([1, 1, 1]);
  });

  it('tries each instance at most once under round robin and chash alike', async () => {
    const upstream = await startFailing();
    const names = ['a', 'b', 'c', 'd'] as const;
    for (const balancer of [
      { algorithm: 'roundrobin' as const },
      { algorithm: 'chash' as const, key: 'remote_addr' },
    ]) {
      const app = await startApp({
        balancer,
        fallback_strategy: 'http_5xx',
        instances: instancesOf<string>(names, (name) => instance(name, upstream.url, { weight: 3 })),
      });
      const before = upstream.calls.length;
      await post(app.url);
      const tried = upstream.calls.slice(before).map((call) => call.headers.authorization);
      expect(tried.toSorted()).toEqual(names.map((name) => `Bearer key-${name}`));
    }
  });

  it('never sends to an instance of weight 0, not even as a fallback', async () => {
    const [bad, out] = [await startFailing(), await startUpstream(echoModel())];
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      instances: [instance('bad', bad.url), instance('out', out.url, { weight: 0 })],
    });
    const answer = await post(app.url);
    expect(answer.status).toBe(500);
    expect(bad.calls).toHaveLength(1);
    expect(out.calls).toHaveLength(0);
  });

  it('never moves on after a byte of the answer has reached the client', async () => {
    const bad = await startRawUpstream((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half":', () => socket.resetAndDestroy()),
    );
    const good = await startUpstream(echoModel());
    const app = await startApp({ fallback_strategy: 'http_5xx', instances: inOrder(bad, good) });
    const answer = await post(app.url);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    expect(good.calls).toHaveLength(0);
    expect((await app.ended(1))[0]?.llm_outcome).toBe('cut');
  });
});
