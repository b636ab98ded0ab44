/**
 * Load balancing: eight of ten requests go to OpenAI, two to DeepSeek.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/weighted.ts
 *
 * Runs against mocks; with OPENAI_API_KEY and DEEPSEEK_API_KEY in the environment, against the real ones.
 */

import assert from 'node:assert/strict';
import { aiProxyMulti } from 'ai-proxy-multi';
import express from 'express';
import { readPath } from './read-path.ts';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');
const deepseek = await findLlm('DEEPSEEK_API_KEY');

const gateway = aiProxyMulti({
  instances: [
    {
      name: 'openai-instance',
      provider: 'openai',
      weight: 8,
      auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
      options: { model: 'gpt-4' },
      override: openai.override,
    },
    {
      name: 'deepseek-instance',
      provider: 'deepseek',
      weight: 2,
      auth: { header: { Authorization: 'Bearer $env://DEEPSEEK_API_KEY' } },
      options: { model: 'deepseek-chat' },
      override: deepseek.override,
    },
  ],
});

const app = express();
app.use('/anything', gateway);
const server = await listen(app);

const models: string[] = [];
for (let n = 0; n < 10; n++) {
  const answer = await postJson(`${server.url}/anything`, {
    messages: [
      { role: 'system', content: 'You are a mathematician' },
      { role: 'user', content: 'What is 1+1?' },
    ],
  });
  models.push(String(readPath(answer.body, 'model')));
}

const openaiCount = models.filter((model) => model.includes('gpt-4')).length;
const deepseekCount = models.filter((model) => model.includes('deepseek')).length;
console.log(`OpenAI responses: ${openaiCount}`);
console.log(`DeepSeek responses: ${deepseekCount}`);

await Promise.all([server.close(), gateway.close(), openai.close(), deepseek.close()]);
assert.deepEqual([openaiCount, deepseekCount], [8, 2]);
