/**
 * Sticky users: a consistent hash of a header picks the instance, so that a user's conversation stays with one
 * provider and its prompt cache. An instance that is added or lost moves its own share of the users only.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/sticky.ts
 *
 * Runs against mocks; with OPENAI_API_KEY and DEEPSEEK_API_KEY in the environment, against the real ones.
 */

import assert from 'node:assert/strict';
import { aiProxyMulti } from 'ai-proxy-multi';
import express from 'express';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');
const deepseek = await findLlm('DEEPSEEK_API_KEY');

const gateway = aiProxyMulti(
  {
    balancer: { algorithm: 'chash', hash_on: 'header', key: 'x-user-id' },
    instances: [
      {
        name: 'openai-instance',
        provider: 'openai',
        weight: 1,
        auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
        options: { model: 'gpt-4o' },
        override: openai.override,
      },
      {
        name: 'deepseek-instance',
        provider: 'deepseek',
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
app.use('/ai', gateway);
const server = await listen(app);

const body = { messages: [{ role: 'user', content: 'Hello' }] };
const instances = new Set<string | null>();
for (const user of ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']) {
  const seen = new Set<string | null>();
  for (let n = 0; n < 3; n++) {
    const { headers } = await postJson(`${server.url}/ai`, body, { 'x-user-id': user });
    seen.add(headers.get('x-served-by'));
  }
  console.log(`${user}: three requests, served by ${[...seen].join(' and ')}`);
  assert.equal(seen.size, 1, `${user} should have stayed with one instance`);
  for (const instance of seen) instances.add(instance);
}

await Promise.all([server.close(), gateway.close(), openai.close(), deepseek.close()]);
assert.equal(instances.size, 2, 'both instances should have had users');
