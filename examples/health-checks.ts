/**
 * Health checks: an instance stops answering, so requests leave it before one of them fails; when it answers again,
 * it gets its share back.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/health-checks.ts
 *
 * The instance that goes down is always a mock; the other one is real with OPENAI_API_KEY set.
 */

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { aiProxyMulti } from 'ai-proxy-multi';
import express from 'express';
import { startMockLlm } from './mock-llm.ts';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');
const local = await startMockLlm({ name: 'local' });

const health = new EventEmitter();

const gateway = aiProxyMulti(
  {
    instances: [
      {
        name: 'openai',
        provider: 'openai',
        weight: 1,
        auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
        options: { model: 'gpt-4o-mini' },
        override: openai.override,
      },
      {
        name: 'local',
        provider: 'openai-compatible',
        weight: 1,
        auth: { header: { Authorization: 'Bearer the-mock-needs-no-key' } },
        options: { model: 'llama-3.1-8b' },
        override: { endpoint: local.url },
        checks: {
          active: {
            type: 'http',
            http_path: '/v1/models',
            timeout: 1, // seconds, as all of these
            healthy: { interval: 1, successes: 1 },
            unhealthy: { interval: 1, tcp_failures: 1, timeouts: 2, http_failures: 3 },
          },
        },
      },
    ],
  },
  {
    servedByHeader: 'x-served-by',
    logger: { debug() {}, info() {}, warn() {}, error: console.error }, // onHealth says it all
    onHealth({ instance, state, reason }) {
      console.log(`${instance} is ${state} (${reason})`);
      health.emit(state);
    },
  },
);

const app = express();
app.use('/ai', gateway);
const server = await listen(app);

/** Who answers six requests, such as "local 3, openai 3". */
async function ask(): Promise<string> {
  const servedBy = new Map<string, number>();
  for (let n = 1; n <= 6; n++) {
    const { status, headers } = await postJson(`${server.url}/ai`, {
      messages: [{ role: 'user', content: 'Hello' }],
    });
    assert.equal(status, 200);
    const name = headers.get('x-served-by') ?? 'nobody';
    servedBy.set(name, (servedBy.get(name) ?? 0) + 1);
  }
  const line = [...servedBy].map(([name, count]) => `${name} ${count}`).sort();
  console.log(`Six requests: ${line.join(', ')}`);
  return line.join(', ');
}

await once(health, 'healthy');
const before = await ask();

const unhealthy = once(health, 'unhealthy');
await local.close();
await unhealthy;
const during = await ask();

const healthy = once(health, 'healthy');
const back = await startMockLlm({ name: 'local', port: local.port });
await healthy;
const after = await ask();

await Promise.all([server.close(), gateway.close(), openai.close(), back.close()]);
assert.deepEqual([before, during, after], ['local 3, openai 3', 'openai 6', 'local 3, openai 3']);
