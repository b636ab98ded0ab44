/**
 * The official `openai` SDK in front of a model router: callers know one name, and none of the models behind it.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/model-router-sdk.ts
 *
 * Runs against mocks, the first of which is always out of quota; with OPENAI_API_KEY in the environment the second is
 * OpenAI.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { modelRouter } from 'ai-proxy-multi';
import express from 'express';
import OpenAI from 'openai';
import { findLlm, listen } from './support.ts';

const busy = await findLlm('OPENAI_API_KEY', { fail: '429' });
const openai = await findLlm('OPENAI_API_KEY', { tokenDelayMs: 5 });
const addressOf = ({ endpoint }: { endpoint?: string }) =>
  endpoint === undefined ? {} : { api_base: `${endpoint}/v1` };

const apiKey = 'sk-a-key-of-your-own';

const router = modelRouter({
  provider_keys: [
    {
      display_name: 'busy',
      provider: 'openai',
      api_key: '$env://OPENAI_API_KEY',
      ...addressOf(busy.override),
    },
    {
      display_name: 'openai',
      provider: 'openai',
      api_key: '$env://OPENAI_API_KEY',
      ...addressOf(openai.override),
    },
  ],
  models: [
    { display_name: 'large', provider: 'openai', model_name: 'gpt-4o', provider_key: 'busy' },
    { display_name: 'small', provider: 'openai', model_name: 'gpt-4o-mini', provider_key: 'openai' },
    {
      display_name: 'chat',
      routing: { retry_on_429: true, targets: [{ model: 'large' }, { model: 'small' }] },
    },
  ],
  // Only the hash of a caller's key is kept.
  api_keys: [{ key_hash: createHash('sha256').update(apiKey).digest('hex'), allowed_models: ['chat'] }],
});

const server = await listen(express().use('/ai', router));
const client = new OpenAI({ baseURL: `${server.url}/ai/v1`, apiKey });

const names: string[] = [];
for await (const model of client.models.list()) names.push(model.id);
console.log(`Models for this key: ${names.join(', ')}`);

const messages = [{ role: 'user' as const, content: 'What is 1+1?' }];
const { data, response } = await client.chat.completions.create({ model: 'chat', messages }).withResponse();
const servedBy = response.headers.get('x-aisix-served-by');
console.log(`${data.model}, served by ${servedBy}: ${data.choices[0]?.message.content}`);

const stream = await client.chat.completions.create({ model: 'chat', messages, stream: true });
let text = '';
const models = new Set<string>();
for await (const chunk of stream) {
  models.add(chunk.model);
  text += chunk.choices[0]?.delta.content ?? '';
}
console.log(`${[...models].join(', ')}, streamed: ${text}`);

await Promise.all([server.close(), router.close(), busy.close(), openai.close()]);
assert.deepEqual(names, ['chat']);
assert.equal(servedBy, 'small');
assert.deepEqual([...models, data.model], ['chat', 'chat']);
