/**
 * What was sent to APISIX's Admin API, mounted in Express: the bodies of "Load Balance and Rate Limit by Consumers"
 * from the documentation of ai-proxy-multi. The shell's variables for keys have become `$env://` references, and the
 * addresses of the mocks (`override`) are new.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/apisix-route.ts
 *
 * Runs against mocks; with OPENAI_API_KEY and DEEPSEEK_API_KEY in the environment, against the real ones.
 */

import assert from 'node:assert/strict';
import { type ApisixRouterConfig, apisixRouter } from 'ai-proxy-multi';
import express from 'express';
import { readPath } from './read-path.ts';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');
const deepseek = await findLlm('DEEPSEEK_API_KEY');

// PUT /apisix/admin/consumers; what goes to /apisix/admin/consumers/{username}/credentials stands inside. By a slip,
// the page calls both of them johndoe.
const consumers: ApisixRouterConfig['consumers'] = [
  {
    username: 'johndoe',
    plugins: {
      'ai-rate-limiting': {
        instances: [{ name: 'openai-instance', limit: 10, time_window: 60 }],
        rejected_code: 429,
        limit_strategy: 'total_tokens',
      },
    },
    credentials: [{ id: 'cred-john-key-auth', plugins: { 'key-auth': { key: 'john-key' } } }],
  },
  {
    username: 'janedoe',
    plugins: {
      'ai-rate-limiting': {
        instances: [{ name: 'deepseek-instance', limit: 10, time_window: 60 }],
        rejected_code: 429,
        limit_strategy: 'total_tokens',
      },
    },
    credentials: [{ id: 'cred-jane-key-auth', plugins: { 'key-auth': { key: 'jane-key' } } }],
  },
];

// PUT /apisix/admin/routes
const routes: ApisixRouterConfig['routes'] = [
  {
    id: 'ai-proxy-multi-route',
    uri: '/anything',
    methods: ['POST'],
    plugins: {
      'key-auth': {},
      'ai-proxy-multi': {
        fallback_strategy: 'instance_health_and_rate_limiting',
        instances: [
          {
            name: 'openai-instance',
            provider: 'openai',
            weight: 0,
            auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
            options: { model: 'gpt-4' },
            override: openai.override,
          },
          {
            name: 'deepseek-instance',
            provider: 'deepseek',
            weight: 0,
            auth: { header: { Authorization: 'Bearer $env://DEEPSEEK_API_KEY' } },
            options: { model: 'deepseek-chat' },
            override: deepseek.override,
          },
        ],
      },
    },
  },
];

const router = apisixRouter({ routes, consumers }, { servedByHeader: 'x-served-by' });
const app = express();
app.use(router);
const server = await listen(app);

const ask = (headers: Record<string, string> = {}) =>
  postJson(
    `${server.url}/anything`,
    {
      messages: [
        { role: 'system', content: 'You are a mathematician' },
        { role: 'user', content: 'What is 1+1?' },
      ],
    },
    headers,
  );

const stranger = await ask();
console.log(`Without a key: ${stranger.status} ${readPath(stranger.body, 'message')}`);

/** Who answers one consumer, four times in a row. */
async function askFourTimes(username: string, key: string): Promise<string[]> {
  const servedBy: string[] = [];
  for (let n = 0; n < 4; n++) servedBy.push(String((await ask({ apikey: key })).headers.get('x-served-by')));
  console.log(`${username} is answered by ${servedBy.join(', ')}`);
  return servedBy;
}

const john = await askFourTimes('johndoe', 'john-key');
const jane = await askFourTimes('janedoe', 'jane-key');

await Promise.all([server.close(), router.close(), openai.close(), deepseek.close()]);
assert.equal(stranger.status, 401);
// Which of two equal instances comes first is chance. One answer spends the quota, so there is just one.
const [openaiName, deepseekName] = ['openai-instance', 'deepseek-instance'];
assert.deepEqual(john.toSorted(), [deepseekName, deepseekName, deepseekName, openaiName]);
assert.deepEqual(jane.toSorted(), [deepseekName, openaiName, openaiName, openaiName]);
