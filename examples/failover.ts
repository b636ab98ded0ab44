/**
 * Failover: OpenAI answers 429, so the same request goes to Anthropic. The caller sees the second answer only.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/failover.ts
 *
 * OpenAI is played by a mock that is always out of quota; Anthropic is real with ANTHROPIC_API_KEY set.
 */

import assert from 'node:assert/strict';
import { aiProxyMulti, llmVariables } from 'ai-proxy-multi';
import express from 'express';
import { readPath } from './read-path.ts';
import { describeAttempts, findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY', { fail: '429' });
const anthropic = await findLlm('ANTHROPIC_API_KEY');

const gateway = aiProxyMulti({
  fallback_strategy: ['http_429', 'http_5xx'],
  instances: [
    {
      name: 'openai-primary',
      provider: 'openai',
      weight: 1,
      priority: 1, // the larger number is tried first
      auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
      options: { model: 'gpt-4o' },
      override: openai.override,
    },
    {
      name: 'anthropic-fallback',
      provider: 'anthropic', // its OpenAI-compatible API, so callers need not know
      weight: 1,
      priority: 0,
      auth: { header: { Authorization: 'Bearer $env://ANTHROPIC_API_KEY' } },
      options: { model: 'claude-sonnet-4-20250514' },
      override: anthropic.override,
    },
  ],
});

const app = express();
let attempts = '';
app.use((_req, res, next) => {
  // Here an application would write its log; access-log.ts does it with morgan.
  res.on('finish', () => {
    attempts = describeAttempts(llmVariables(res).llm_attempts);
  });
  next();
});
app.use('/ai', gateway);
const server = await listen(app);

const answer = await postJson(`${server.url}/ai`, { messages: [{ role: 'user', content: 'Hello' }] });
console.log(`Answer: ${answer.status} from ${readPath(answer.body, 'model')}`);
console.log(`  "${readPath(answer.body, 'choices', 0, 'message', 'content')}"`);

await Promise.all([server.close(), gateway.close(), openai.close(), anthropic.close()]);
console.log(`Attempts: ${attempts}`);
assert.equal(attempts, 'openai-primary 429 → anthropic-fallback 200');
assert.equal(answer.status, 200);
