/**
 * A quota of tokens: the first LLM until its own is spent, then the second. When both are spent, the caller gets a 503
 * that says when to come back.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/rate-limit.ts
 *
 * Runs against mocks; with OPENAI_API_KEY and DEEPSEEK_API_KEY in the environment, against the real ones.
 */

import assert from 'node:assert/strict';
import { aiProxyMulti, aiRateLimiting } from 'ai-proxy-multi';
import express from 'express';
import { readPath } from './read-path.ts';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');
const deepseek = await findLlm('DEEPSEEK_API_KEY');

// So little that one answer spends it: a limit is looked at before a request, and charged when its answer has ended.
const limiter = aiRateLimiting({
  instances: [
    { name: 'openai-instance', limit: 10, time_window: 60 },
    { name: 'deepseek-instance', limit: 10, time_window: 60 },
  ],
  limit_strategy: 'total_tokens',
});

const gateway = aiProxyMulti(
  {
    fallback_strategy: ['rate_limiting'], // passes over an instance whose quota is spent
    instances: [
      {
        name: 'openai-instance',
        provider: 'openai',
        priority: 1,
        weight: 1,
        auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
        options: { model: 'gpt-4' },
        override: openai.override,
      },
      {
        name: 'deepseek-instance',
        provider: 'deepseek',
        priority: 0,
        weight: 1,
        auth: { header: { Authorization: 'Bearer $env://DEEPSEEK_API_KEY' } },
        options: { model: 'deepseek-chat' },
        override: deepseek.override,
      },
    ],
  },
  { servedByHeader: 'x-served-by' },
);

const app = express();
app.use('/ai', limiter, gateway);
const server = await listen(app);

const ask = () => postJson(`${server.url}/ai`, { messages: [{ role: 'user', content: 'What is 1+1?' }] });

const first = await ask();
const second = await ask();
const third = await ask();

for (const [index, { status, headers, body }] of [first, second, third].entries()) {
  const tokens = readPath(body, 'usage', 'total_tokens');
  const what = tokens === undefined ? readPath(body, 'error', 'message') : `${tokens} tokens`;
  console.log(`Request ${index + 1}: ${status} from ${headers.get('x-served-by') ?? 'nobody'}, ${what}`);
}
for (const [name, value] of third.headers) {
  if (name.startsWith('x-ai-ratelimit') || name === 'retry-after') console.log(`  ${name}: ${value}`);
}

await Promise.all([server.close(), limiter.close(), gateway.close(), openai.close(), deepseek.close()]);
assert.equal(first.headers.get('x-served-by'), 'openai-instance');
assert.equal(first.headers.get('x-ai-ratelimit-remaining-openai-instance'), '10'); // before its own charge
assert.equal(second.headers.get('x-served-by'), 'deepseek-instance');
assert.equal(second.headers.get('x-ai-ratelimit-remaining-openai-instance'), '0');
assert.equal(third.status, 503);
assert.equal(readPath(third.body, 'error', 'code'), 'quota_exceeded');
const wait = Number(third.headers.get('retry-after'));
assert.ok(wait >= 1 && wait <= 60, 'retry-after should be the rest of the window');
