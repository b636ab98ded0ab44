/**
 * A service that has been there for years gets one more path: an LLM behind /ai. Its own middleware and routes
 * stay as they are.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/existing-service.ts
 *
 * Runs against a mock; with OPENAI_API_KEY in the environment, against OpenAI.
 */

import assert from 'node:assert/strict';
import { aiProxyMulti } from 'ai-proxy-multi';
import express from 'express';
import helmet from 'helmet';
import morgan from 'morgan';
import { readPath } from './read-path.ts';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');

const gateway = aiProxyMulti({
  instances: [
    {
      name: 'openai',
      provider: 'openai',
      weight: 1,
      auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
      options: { model: 'gpt-4o-mini' },
      override: openai.override,
    },
  ],
});

const app = express();
app.use(morgan('tiny'));
app.use(helmet());
// The gateway takes the body that express.json() has read, and is then bound by its limit of 100 kB. For long
// conversations and images raise that limit, or mount the gateway above this line: it reads bodies itself.
app.use(express.json({ limit: '10mb' }));

const orders = ['a chair'];
app.get('/orders', (_req, res) => {
  res.json(orders);
});
app.post('/orders', (req, res) => {
  const body: unknown = req.body;
  orders.push(String(readPath(body, 'item')));
  res.status(201).json(orders);
});

app.use('/ai', gateway);

const server = await listen(app);

const order = await postJson(`${server.url}/orders`, { item: 'a table' });
const answer = await postJson(`${server.url}/ai`, { messages: [{ role: 'user', content: 'What is 1+1?' }] });
const stream = await fetch(`${server.url}/ai`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ messages: [{ role: 'user', content: 'What is 1+1?' }], stream: true }),
});
const events = await stream.text();

console.log(`Orders: ${JSON.stringify(order.body)}`);
console.log(`Chat: ${readPath(answer.body, 'choices', 0, 'message', 'content')}`);
console.log(
  `Stream: ${events.match(/^data:/gm)?.length} events, ended by ${events.trim().split('\n').at(-1)}`,
);
console.log(`helmet's header on the LLM's answer: ${answer.headers.get('x-content-type-options')}`);

await Promise.all([server.close(), gateway.close(), openai.close()]);
assert.deepEqual(order.body, ['a chair', 'a table']);
assert.equal(answer.status, 200);
assert.match(events, /\[DONE\]\s*$/);
assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
