/**
 * Metrics for Prometheus, registered with your own prom-client, under the names that APISIX's exporter uses.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/prometheus.ts
 *
 * Runs against mocks. With two gateways in one application, give each a name: `{ gateway: 'embeddings' }`.
 */

import assert from 'node:assert/strict';
import { aiProxyMulti, prometheusMetrics } from 'ai-proxy-multi';
import express from 'express';
import client from 'prom-client';
import { startMockLlm } from './mock-llm.ts';
import { listen, postJson } from './support.ts';

const openai = await startMockLlm({ fail: '429', failEvery: 2 });
const deepseek = await startMockLlm();

const auth = { header: { Authorization: 'Bearer the-mock-needs-no-key' } };
const gateway = aiProxyMulti(
  {
    fallback_strategy: ['http_429', 'http_5xx'],
    instances: [
      {
        name: 'openai',
        provider: 'openai',
        weight: 1,
        priority: 1,
        auth,
        options: { model: 'gpt-4o' },
        override: { endpoint: openai.url },
      },
      {
        name: 'deepseek',
        provider: 'deepseek',
        weight: 1,
        auth,
        options: { model: 'deepseek-chat' },
        override: { endpoint: deepseek.url },
      },
    ],
  },
  // Hooks of your own can call these ones: `const metrics = prometheusMetrics(client)`, then `metrics.onFinish(finish)`.
  { ...prometheusMetrics(client, { gateway: 'chat' }) },
);

const app = express();
app.use('/ai', gateway);
app.get('/metrics', async (_req, res) => {
  res.type(client.register.contentType).send(await client.register.metrics());
});
const server = await listen(app);

for (let request = 0; request < 4; request++) {
  await postJson(`${server.url}/ai`, { messages: [{ role: 'user', content: 'What is 1+1?' }] });
}

const metrics = await (await fetch(`${server.url}/metrics`)).text();
const shown = /^apisix_llm_(requests|attempts|fallbacks|completion_tokens\b|latency_count)/;
for (const line of metrics.split('\n')) if (shown.test(line)) console.log(line);

await Promise.all([server.close(), gateway.close(), openai.close(), deepseek.close()]);
assert.match(
  metrics,
  /^apisix_llm_attempts_total\{gateway="chat",instance="openai",status="4xx",error=""\} 2$/m,
);
assert.match(metrics, /^apisix_llm_fallbacks_total\{gateway="chat",instance="deepseek",direction="in"\} 2$/m);
assert.match(
  metrics,
  /^apisix_llm_requests_total\{.*instance="openai".*llm_model="gpt-4o",outcome="complete"\} 2$/m,
);
