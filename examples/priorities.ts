/**
 * Priorities: the cheapest model first, a dearer one when that fails, the dearest when both do. The next request
 * starts at the top again.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/priorities.ts
 *
 * The first two are mocks of which every second request fails; the last is real with OPENAI_API_KEY set.
 */

import assert from 'node:assert/strict';
import { type AttemptRecord, aiProxyMulti } from 'ai-proxy-multi';
import express from 'express';
import { describeAttempts, findLlm, listen, postJson } from './support.ts';

const cheap = await findLlm('DEEPSEEK_API_KEY', { fail: '503', failEvery: 2 });
const middle = await findLlm('OPENAI_API_KEY', { fail: '429', failEvery: 2 });
const premium = await findLlm('OPENAI_API_KEY');

let attempts: AttemptRecord[] = [];

const gateway = aiProxyMulti(
  {
    fallback_strategy: ['http_429', 'http_5xx'],
    max_retries: 2, // at most two more instances for one request
    instances: [
      {
        name: 'deepseek-primary',
        provider: 'deepseek',
        priority: 3,
        weight: 1,
        auth: { header: { Authorization: 'Bearer $env://DEEPSEEK_API_KEY' } },
        options: { model: 'deepseek-chat' },
        override: cheap.override,
      },
      {
        name: 'gpt-4o-mini-secondary',
        provider: 'openai',
        priority: 2,
        weight: 1,
        auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
        options: { model: 'gpt-4o-mini' },
        override: middle.override,
      },
      {
        name: 'gpt-4o-premium',
        provider: 'openai',
        priority: 1,
        weight: 1,
        auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
        options: { model: 'gpt-4o' },
        override: premium.override,
      },
    ],
  },
  // A configuration that calls its first choice 1 and its last 3 needs `priorityOrder: 'lowest-first'` here.
  { onAttempt: (attempt) => attempts.push(attempt) },
);

const app = express();
app.use('/ai', gateway);
const server = await listen(app);

const seen: string[] = [];
for (let n = 1; n <= 4; n++) {
  attempts = [];
  await postJson(`${server.url}/ai`, { messages: [{ role: 'user', content: 'Hello' }] });
  seen.push(describeAttempts(attempts));
  console.log(`Request ${n}: ${seen.at(-1)}`);
}

await Promise.all([server.close(), gateway.close(), cheap.close(), middle.close(), premium.close()]);
assert.deepEqual(seen, [
  'deepseek-primary 200',
  'deepseek-primary 503 → gpt-4o-mini-secondary 200',
  'deepseek-primary 200',
  'deepseek-primary 503 → gpt-4o-mini-secondary 429 → gpt-4o-premium 200',
]);
