/**
 * Callers with keys, and quotas of their own: a consumer's limits replace those of the route. Strangers are turned
 * away, until one consumer is named that stands for all of them.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/consumers.ts
 *
 * Runs against a mock; with OPENAI_API_KEY in the environment, against OpenAI.
 */

import assert from 'node:assert/strict';
import { aiProxyMulti, aiRateLimiting, keyAuth } from 'ai-proxy-multi';
import express from 'express';
import { readPath } from './read-path.ts';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');
process.env.ALICES_KEY ||= 'alices-key';
process.env.BOBS_KEY ||= 'bobs-key';

const tokensPerMinute = (limit: number) => ({ limit, time_window: 60, rejected_code: 429 });

const gate = keyAuth(
  { hide_credentials: true }, // what comes behind, the access log included, does not see the key
  {
    consumers: [
      { username: 'alice', plugins: { 'key-auth': { key: '$env://ALICES_KEY' } } },
      {
        username: 'bob',
        plugins: { 'key-auth': { key: '$env://BOBS_KEY' }, 'ai-rate-limiting': tokensPerMinute(10) },
      },
      { username: 'stranger', plugins: { 'ai-rate-limiting': tokensPerMinute(10) } },
    ],
  },
);

// For whoever has no limits of their own, which is Alice.
const limiter = aiRateLimiting(tokensPerMinute(1_000_000));

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
const callers: string[] = [];
app.use('/ai', gate, limiter, (_req, res, next) => {
  callers.push(String(readPath(res.locals, 'consumer', 'username')));
  next();
});
app.use('/ai', gateway);
const server = await listen(app);

const seen: string[] = [];
async function ask(who: string, key?: string): Promise<void> {
  const { status, body } = await postJson(
    `${server.url}/ai`,
    { messages: [{ role: 'user', content: 'What is 1+1?' }] },
    key === undefined ? {} : { apikey: key },
  );
  const reason = readPath(body, 'message') ?? readPath(body, 'error', 'code') ?? 'answered';
  seen.push(`${who}: ${status} ${reason}`);
  console.log(seen.at(-1));
}

for (const round of ['first', 'second']) {
  await ask(`Alice's ${round} request`, process.env.ALICES_KEY);
  await ask(`Bob's ${round} request`, process.env.BOBS_KEY);
}
await ask('Without a key');
await ask('With a wrong key', 'guessed');

// From here on whoever has no valid key is "stranger", and all of them share one quota.
gate.update({ hide_credentials: true, anonymous_consumer: 'stranger' });
await ask('Without a key, as a stranger');
await ask('With a wrong key, as a stranger', 'guessed');

await Promise.all([server.close(), gate.close(), limiter.close(), gateway.close(), openai.close()]);
assert.deepEqual(seen, [
  "Alice's first request: 200 answered",
  "Bob's first request: 200 answered",
  "Alice's second request: 200 answered",
  "Bob's second request: 429 quota_exceeded",
  'Without a key: 401 Missing API key in request',
  'With a wrong key: 401 Invalid API key in request',
  'Without a key, as a stranger: 200 answered',
  'With a wrong key, as a stranger: 429 quota_exceeded',
]);
assert.deepEqual(callers, ['alice', 'bob', 'alice', 'bob', 'stranger', 'stranger']);
