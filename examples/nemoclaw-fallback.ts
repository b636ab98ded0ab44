/**
 * OpenAI first, a local model when it is down: the setup of the article "Load Balancing Multiple LLM Backends",
 * mounted on /llm/* as there. Both speak OpenAI's API.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/nemoclaw-fallback.ts
 *
 * The local model is a mock. OpenAI is one too until OPENAI_API_KEY is set; the outage is played either way.
 */

import assert from 'node:assert/strict';
import { type AiProxyMultiConfig, aiProxyMulti } from 'ai-proxy-multi';
import express from 'express';
import { startMockLlm } from './mock-llm.ts';
import { readPath } from './read-path.ts';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');
const nemoclaw = await startMockLlm({ name: 'nemoclaw' }); // in the article: http://127.0.0.1:8000

const llmRoute = (openaiOverride: { endpoint?: string }): AiProxyMultiConfig => ({
  timeout: 60_000,
  max_retries: 1,
  fallback_strategy: ['http_429', 'http_5xx'], // an unreachable host counts as a 5xx
  instances: [
    {
      name: 'openai',
      provider: 'openai',
      weight: 1,
      priority: 1,
      auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
      override: openaiOverride,
    },
    {
      name: 'nemoclaw',
      provider: 'openai-compatible',
      weight: 1,
      priority: 0,
      auth: {}, // a local model needs no key, and is not shown OpenAI's
      options: { model: 'nemoclaw' },
      override: { endpoint: nemoclaw.url },
    },
  ],
});

const gateway = aiProxyMulti(llmRoute(openai.override), { servedByHeader: 'x-served-by' });
const app = express();
app.use('/llm', gateway);
const server = await listen(app);

async function ask(): Promise<string> {
  const { status, headers, body } = await postJson(`${server.url}/llm/chat/completions`, {
    model: 'gpt-3.5-turbo',
    messages: [{ role: 'user', content: 'Hello, how are you?' }],
  });
  return `${status} from ${headers.get('x-served-by')} (${readPath(body, 'model')})`;
}

const before = await ask();
console.log(`OpenAI is up: ${before}`);

// The outage: from here on OpenAI's address is one where nobody listens.
const gone = await startMockLlm();
await gone.close();
gateway.update(llmRoute({ endpoint: gone.url }));
const after = await ask();
console.log(`OpenAI is down: ${after}`);

await Promise.all([server.close(), gateway.close(), openai.close(), nemoclaw.close()]);
assert.match(before, /^200 from openai \(gpt-3\.5-turbo/);
assert.equal(after, '200 from nemoclaw (nemoclaw)');
