/**
 * Streaming with the official `openai` SDK: it is pointed at the gateway and prints tokens as they come.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/streaming.ts
 *
 * Runs against a mock; with OPENAI_API_KEY in the environment, against OpenAI.
 */

import assert from 'node:assert/strict';
import { aiProxyMulti } from 'ai-proxy-multi';
import express from 'express';
import OpenAI from 'openai';
import { findLlm, listen } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY', { tokenDelayMs: 5 });

const gateway = aiProxyMulti({
  instances: [
    {
      name: 'openai',
      provider: 'openai',
      weight: 1,
      auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
      options: { model: 'gpt-4o' }, // whatever model the caller asks for
      override: openai.override,
    },
  ],
});

const app = express();
app.use('/ai', gateway);
const server = await listen(app);

// The key stays in the gateway; the SDK insists on having one, and what it sends goes no further.
const client = new OpenAI({ baseURL: `${server.url}/ai/v1`, apiKey: 'not-needed' });

const stream = await client.chat.completions.create({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'Explain Newtons law' }],
  stream: true,
  stream_options: { include_usage: true },
});

let chunkCount = 0;
let finishReason: string | undefined;
let tokens = 0;
for await (const chunk of stream) {
  const [choice] = chunk.choices; // the last chunk has the usage, and no choice
  if (choice?.delta.content) chunkCount += 1;
  process.stdout.write(choice?.delta.content ?? '');
  finishReason = choice?.finish_reason ?? finishReason;
  tokens = chunk.usage?.completion_tokens ?? tokens;
}
console.log(`\n\n${chunkCount} chunks, ${tokens} tokens, finish_reason ${finishReason}`);

await Promise.all([server.close(), gateway.close(), openai.close()]);
assert.ok(chunkCount > 1, 'the answer should have come in several chunks');
assert.equal(finishReason, 'stop');
