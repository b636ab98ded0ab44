import { EventEmitter, once } from 'node:events';
import { type HealthChange, type PrometheusOptions, prometheusMetrics } from 'ai-proxy-multi';
import client from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { keyFor, modelFor, chat as sendChat, startRouter } from '../model-router/started-router.ts';
import { type App, instance, post, startApp } from '../support/app.ts';
import { ownPort } from '../support/own-port.ts';
import {
  answerJson,
  chatAnswer,
  chatEvent,
  doneEvent,
  echoModel,
  startUpstream,
  usageEvent,
} from '../support/upstream.ts';
import { countSeries, newRegistry, samplesOf } from './metrics.ts';

const chat = { messages: [{ role: 'user', content: 'Hi' }] };

type Config = Parameters<typeof startApp>[0];

/** A gateway with metrics in a registry of its own. */
async function measured(
  config: Config,
  options: Omit<PrometheusOptions<client.Registry>, 'registry'> = {},
): Promise<{ app: App; registry: client.Registry }> {
  const registry = newRegistry();
  const hooks = prometheusMetrics(client, { registry, ...options });
  const app = await startApp(config, { host: hooks });
  return { app, registry };
}

/** Sends a request, and waits for its end to be counted. */
async function ask(app: App, body: unknown = chat): Promise<void> {
  const count = app.finished.length;
  await (await post(app.url, body)).text().catch(() => '');
  await app.ended(count + 1);
}

describe('a request', () => {
  it('is counted by how it ended, on the instance that answered', async () => {
    const upstream = await startUpstream(echoModel());
    const { app, registry } = await measured(
      { instances: [instance('one', upstream.url)] },
      { gateway: 'chat' },
    );
    await ask(app);
    await ask(app);
    await ask(app, '{');
    const labels = 'request_type="ai_chat"';
    expect(await samplesOf(registry, 'apisix_llm_requests_total')).toEqual({
      [`{gateway="chat",instance="one",provider="openai-compatible",${labels},llm_model="model-one",outcome="complete"}`]: 2,
      [`{gateway="chat",instance="",provider="",${labels},llm_model="",outcome="rejected"}`]: 1,
    });
  });

  it('tells its tokens, in sum and by size, under the names that APISIX has', async () => {
    const upstream = await startUpstream(echoModel());
    const { app, registry } = await measured({ instances: [instance('one', upstream.url)] });
    await ask(app);
    await ask(app);
    const labels =
      '{gateway="",instance="one",provider="openai-compatible",request_type="ai_chat",llm_model="model-one"}';
    expect(await samplesOf(registry, 'apisix_llm_prompt_tokens')).toEqual({ [labels]: 46 });
    expect(await samplesOf(registry, 'apisix_llm_completion_tokens')).toEqual({ [labels]: 16 });
    expect(await samplesOf(registry, 'apisix_llm_prompt_tokens_dist_sum')).toEqual({ [labels]: 46 });
    expect(await samplesOf(registry, 'apisix_llm_completion_tokens_dist_count')).toEqual({ [labels]: 2 });
    const buckets = await samplesOf(registry, 'apisix_llm_prompt_tokens_dist_bucket');
    const belowLimits = Object.entries(buckets).map(([key, value]) => [/le="([^"]+)"/.exec(key)?.[1], value]);
    expect(belowLimits.slice(0, 4)).toEqual([
      ['1', 0],
      ['10', 0],
      ['50', 2],
      ['100', 2],
    ]);
  });

  it('whose usage nobody knows is no request of zero tokens', async () => {
    const upstream = await startUpstream((_call, res) => answerJson(res, 200, { choices: [] }));
    const { app, registry } = await measured({ instances: [instance('one', upstream.url)] });
    await ask(app);
    expect(await samplesOf(registry, 'apisix_llm_prompt_tokens')).toEqual({});
    expect(await samplesOf(registry, 'apisix_llm_prompt_tokens_dist_count')).toEqual({});
  });

  it('tells how long a stream took to its first token and to its end', async () => {
    const upstream = await startUpstream(async (_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      // An LLM thinks before it speaks, for more than the millisecond that is measured in.
      await new Promise((resolve) => setTimeout(resolve, 20));
      res.end(chatEvent('Hello') + usageEvent + doneEvent);
    });
    const { app, registry } = await measured(
      { instances: [instance('one', upstream.url)] },
      { latencyBucketsMs: [10, 60_000] },
    );
    await ask(app, { ...chat, stream: true });
    const sums = await samplesOf(registry, 'apisix_llm_latency_sum');
    const labels =
      'gateway="",instance="one",provider="openai-compatible",request_type="ai_stream",llm_model="model-one"';
    expect(Object.keys(sums).toSorted()).toEqual([`{${labels},type="total"}`, `{${labels},type="ttft"}`]);
    const buckets = await samplesOf(registry, 'apisix_llm_latency_bucket');
    for (const type of ['total', 'ttft']) {
      expect(buckets).toMatchObject({
        [`{le="10",${labels},type="${type}"}`]: 0,
        [`{le="60000",${labels},type="${type}"}`]: 1,
        [`{le="+Inf",${labels},type="${type}"}`]: 1,
      });
    }
  });

  it('that failed or was cut does not make the LLM look fast', async () => {
    const upstream = await startUpstream((call, res) => {
      if (!call.body.includes('"stream":true')) return answerJson(res, 500, {});
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('Hello'), () => res.destroy());
    });
    const { app, registry } = await measured({ instances: [instance('one', upstream.url)] });
    await ask(app);
    await ask(app, { ...chat, stream: true });
    expect(app.finished.map((finish) => finish.llm_outcome)).toEqual(['complete', 'cut']);
    const counts = await samplesOf(registry, 'apisix_llm_latency_count');
    expect(Object.keys(counts).filter((key) => key.includes('type="total"'))).toEqual([]);
  });
});

describe('attempts and fallbacks', () => {
  it('are counted by instance, with the class of the answer or what went wrong', async () => {
    const limited = await startUpstream((_call, res) => answerJson(res, 429, {}));
    const good = await startUpstream(echoModel());
    const { app, registry } = await measured({
      fallback_strategy: ['http_429', 'http_5xx'],
      instances: [
        instance('limited', limited.url, { priority: 2 }),
        instance('dead', `http://127.0.0.1:${await ownPort()}`, { priority: 1 }),
        instance('good', good.url),
      ],
    });
    await ask(app);
    await ask(app);
    expect(await samplesOf(registry, 'apisix_llm_attempts_total')).toEqual({
      '{gateway="",instance="limited",status="4xx",error=""}': 2,
      '{gateway="",instance="dead",status="",error="upstream_unreachable"}': 2,
      '{gateway="",instance="good",status="2xx",error=""}': 2,
    });
    expect(await samplesOf(registry, 'apisix_llm_fallbacks_total')).toEqual({
      '{gateway="",instance="limited",direction="out"}': 2,
      '{gateway="",instance="dead",direction="in"}': 2,
      '{gateway="",instance="dead",direction="out"}': 2,
      '{gateway="",instance="good",direction="in"}': 2,
    });
  });

  it('are no fallbacks where there was nobody to fall back to', async () => {
    const bad = await startUpstream((_call, res) => answerJson(res, 503, {}));
    const { app, registry } = await measured({
      fallback_strategy: 'http_5xx',
      instances: [instance('bad', bad.url)],
    });
    await ask(app);
    expect(await samplesOf(registry, 'apisix_llm_fallbacks_total')).toEqual({});
  });
});

describe('retries', () => {
  it('on the same target are attempts, and no fallbacks', async () => {
    let answers = 0;
    const llm = await startUpstream((_call, res) =>
      answerJson(res, answers++ === 0 ? 500 : 200, chatAnswer('upstream-one')),
    );
    const registry = newRegistry();
    const router = await startRouter(
      { provider_keys: [keyFor('one', llm.url)], models: [modelFor('one', { retries: 1 })] },
      { host: prometheusMetrics(client, { registry }) },
    );
    expect((await sendChat(router, 'one')).status).toBe(200);
    await router.ended(1);
    expect(await samplesOf(registry, 'apisix_llm_fallbacks_total')).toEqual({});
    const attempts = await samplesOf(registry, 'apisix_llm_attempts_total');
    expect(Object.values(attempts)).toEqual([1, 1]);
  });
});

describe('health', () => {
  it('is a gauge by instance, with its changes counted', async () => {
    let status = 503;
    const upstream = await startUpstream((_call, res) => answerJson(res, status, {}));
    const registry = newRegistry();
    const hooks = prometheusMetrics(client, { registry, gateway: 'chat' });
    const changes = new EventEmitter();
    const host = {
      ...hooks,
      onHealth(change: HealthChange) {
        hooks.onHealth(change);
        changes.emit(change.state);
      },
    };
    const active = {
      type: 'http',
      http_path: '/health',
      healthy: { interval: 1, successes: 1 },
      unhealthy: { interval: 1, http_failures: 1 },
    } as const;
    const down = once(changes, 'unhealthy');
    const up = once(changes, 'healthy');
    await startApp({ instances: [instance('one', upstream.url, { checks: { active } })] }, { host });
    const labels = '{gateway="chat",instance="one"}';
    await down;
    expect(await samplesOf(registry, 'apisix_llm_instance_healthy')).toEqual({ [labels]: 0 });
    status = 200;
    await up;
    expect(await samplesOf(registry, 'apisix_llm_instance_healthy')).toEqual({ [labels]: 1 });
    expect(await samplesOf(registry, 'apisix_llm_health_changes_total')).toEqual({
      '{gateway="chat",instance="one",state="unhealthy"}': 1,
      '{gateway="chat",instance="one",state="healthy"}': 1,
    });
  });

  it('is not said any more of an instance that an update has removed', async () => {
    const upstream = await startUpstream((_call, res) => answerJson(res, 503, {}));
    const registry = newRegistry();
    const hooks = prometheusMetrics(client, { registry });
    const changes = new EventEmitter();
    const host = {
      ...hooks,
      onHealth(change: HealthChange) {
        hooks.onHealth(change);
        changes.emit(change.state);
      },
    };
    const active = { type: 'http', unhealthy: { interval: 1, http_failures: 1 } } as const;
    const down = once(changes, 'unhealthy');
    const stays = instance('stays', upstream.url);
    const removed = instance('removed', upstream.url, { checks: { active } });
    const { middleware } = await startApp({ instances: [stays, removed] }, { host });
    await down;
    expect(await samplesOf(registry, 'apisix_llm_instance_healthy')).toEqual({
      '{gateway="",instance="removed"}': 0,
    });
    middleware.update({ instances: [stays] });
    expect(await samplesOf(registry, 'apisix_llm_instance_healthy')).toEqual({});
  });

  it('is not said of an instance of which nothing is known any more', async () => {
    const registry = newRegistry();
    const { onHealth } = prometheusMetrics(client, { registry });
    onHealth({ instance: 'one', state: 'unhealthy', reason: 'timeout' });
    onHealth({ instance: 'two', state: 'healthy', reason: 'status 200' });
    onHealth({ instance: 'one', state: 'unchecked', reason: 'its addresses have changed' });
    expect(await samplesOf(registry, 'apisix_llm_instance_healthy')).toEqual({
      '{gateway="",instance="two"}': 1,
    });
  });
});

describe('what a client sends', () => {
  it.each([
    ['the client chooses the model', {}, ''],
    ['the configuration does', { options: { model: 'gpt-4o' } }, 'gpt-4o'],
  ])(
    'makes no series: three hundred models, where %s',
    async (_who, more, label) => {
      const upstream = await startUpstream(echoModel());
      const { app, registry } = await measured({
        instances: [instance('one', upstream.url, { options: {}, ...more })],
      });
      await ask(app, { ...chat, model: 'first' });
      const before = await countSeries(registry);
      for (let batch = 0; batch < 6; batch++) {
        const models = Array.from({ length: 50 }, (_, index) => `model-${batch}-${index}`);
        await Promise.all(
          models.map(async (model) => {
            const user = `user-${model}`;
            return (await post(`${app.url}/?${model}`, { ...chat, model, user })).text();
          }),
        );
      }
      await app.ended(301);
      expect(await countSeries(registry)).toBe(before);
      const requests = await samplesOf(registry, 'apisix_llm_requests_total');
      expect(Object.entries(requests)).toEqual([[expect.stringContaining(`llm_model="${label}"`), 301]]);
      expect(await registry.metrics()).not.toContain('model-1');
    },
    60_000,
  );
});

describe('the metrics', () => {
  afterEach(() => client.register.clear());

  it('are in the registry of prom-client unless another is named, and are shared by several gateways', async () => {
    const one = prometheusMetrics(client, { gateway: 'one' });
    const two = prometheusMetrics(client, { gateway: 'two' });
    one.onAttempt({ instance: 'a', status: 200, duration_ms: 1 });
    two.onAttempt({ instance: 'a', status: 200, duration_ms: 1 });
    expect(await samplesOf(client.register, 'apisix_llm_attempts_total')).toEqual({
      '{gateway="one",instance="a",status="2xx",error=""}': 1,
      '{gateway="two",instance="a",status="2xx",error=""}': 1,
    });
  });

  it('are made anew in a registry that has been cleared', async () => {
    prometheusMetrics(client);
    client.register.clear();
    prometheusMetrics(client).onAttempt({ instance: 'a', status: 200, duration_ms: 1 });
    expect(Object.values(await samplesOf(client.register, 'apisix_llm_attempts_total'))).toEqual([1]);
  });

  it('have the prefix that one wants, beside those with another', async () => {
    const registry = newRegistry();
    const { onAttempt } = prometheusMetrics(client, { registry, prefix: 'shop_' });
    prometheusMetrics(client, { registry, prefix: '' });
    onAttempt({ instance: 'a', error: 'upstream_timeout', duration_ms: 1 });
    expect(Object.values(await samplesOf(registry, 'shop_llm_attempts_total'))).toEqual([1]);
    expect(await samplesOf(registry, 'llm_attempts_total')).toEqual({});
    expect(await registry.metrics()).not.toContain('apisix_');
  });

  it('do not take the name of somebody else’s', () => {
    const registry = newRegistry();
    new client.Gauge({ name: 'apisix_llm_latency', help: 'of another', registers: [registry] });
    expect(() => prometheusMetrics(client, { registry })).toThrow(
      'apisix_llm_latency has already been registered',
    );
  });
});
