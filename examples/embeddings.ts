/**
 * Embeddings, balanced between OpenAI and an Azure deployment of the same model. A body with `input` and no
 * `messages` is an embeddings request, on whatever path it comes.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/embeddings.ts
 *
 * Azure is always a mock, as its address is your own; OpenAI is real with OPENAI_API_KEY set.
 */

import assert from 'node:assert/strict';
import { aiProxyMulti } from 'ai-proxy-multi';
import express from 'express';
import { startMockLlm } from './mock-llm.ts';
import { readPath } from './read-path.ts';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');
const azure = await startMockLlm();

const gateway = aiProxyMulti(
  {
    instances: [
      {
        name: 'openai-instance',
        provider: 'openai',
        weight: 0, // all weights 0: equal shares
        auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
        options: { model: 'text-embedding-3-small' },
        override: openai.override,
      },
      {
        name: 'az-openai-instance',
        provider: 'openai-compatible',
        weight: 0,
        auth: { header: { Authorization: 'Bearer your-azure-key' } },
        options: { model: 'text-embedding-3-small' },
        override: {
          // An endpoint with a path is used as it stands, its query too.
          endpoint: `${azure.url}/openai/deployments/text-embedding-3-small/embeddings?api-version=2023-05-15`,
        },
      },
    ],
  },
  { servedByHeader: 'x-served-by' },
);

const app = express();
app.use('/embeddings', gateway);
const server = await listen(app);

const servers = new Set<string | null>();
for (let n = 0; n < 2; n++) {
  const { body, headers } = await postJson(`${server.url}/embeddings`, { input: 'hello world' });
  const vector = readPath(body, 'data', 0, 'embedding');
  assert.ok(Array.isArray(vector), 'the answer should hold a vector');
  const servedBy = headers.get('x-served-by');
  servers.add(servedBy);
  console.log(`${servedBy}: ${vector.length} dimensions, ${readPath(body, 'usage', 'total_tokens')} tokens`);
}

await Promise.all([server.close(), gateway.close(), openai.close(), azure.close()]);
assert.deepEqual(servers, new Set(['openai-instance', 'az-openai-instance']));
