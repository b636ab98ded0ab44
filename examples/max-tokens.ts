/**
 * A ceiling on the answer's length, another one for each instance. `options` overwrite what the caller sends.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/max-tokens.ts
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

const gateway = aiProxyMulti(
  {
    instances: [
      {
        name: 'openai-instance',
        provider: 'openai',
        weight: 0, // all weights 0: equal shares
        auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
        options: { model: 'gpt-4', max_tokens: 50 },
        override: openai.override,
      },
      {
        name: 'deepseek-instance',
        provider: 'deepseek',
        weight: 0,
        auth: { header: { Authorization: 'Bearer $env://DEEPSEEK_API_KEY' } },
        options: { model: 'deepseek-chat', max_tokens: 100 },
        override: deepseek.override,
      },
    ],
  },
  { servedByHeader: 'x-served-by' },
);

const app = express();
app.use('/anything', gateway);
const server = await listen(app);

const limits: Record<string, unknown> = {};
for (let n = 0; n < 2; n++) {
  const { body, headers } = await postJson(`${server.url}/anything`, {
    messages: [{ role: 'user', content: 'Explain Newtons law' }],
    max_tokens: 4000,
  });
  const servedBy = String(headers.get('x-served-by'));
  const tokens = readPath(body, 'usage', 'completion_tokens');
  const finishReason = readPath(body, 'choices', 0, 'finish_reason');
  limits[servedBy] = tokens;
  console.log(`${servedBy}: ${tokens} completion tokens, finish_reason ${finishReason}`);
  assert.equal(finishReason, 'length');
}

await Promise.all([server.close(), gateway.close(), openai.close(), deepseek.close()]);
assert.deepEqual(limits, { 'openai-instance': 50, 'deepseek-instance': 100 });
