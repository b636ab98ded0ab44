/**
 * One model name in front of two models, set up over HTTP: the walk through AISIX's guide "Routing and Failover", the
 * callers on one listener and the admin API on another, as there on ports 3000 and 3001.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/model-router.ts
 *
 * Runs against mocks; with OPENAI_API_KEY in the environment, against OpenAI. The outage is played either way.
 */

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileStore, modelRouter } from 'ai-proxy-multi';
import express from 'express';
import { startMockLlm } from './mock-llm.ts';
import { readPath } from './read-path.ts';
import { findLlm, listen } from './support.ts';

const primary = await findLlm('OPENAI_API_KEY');
const secondary = await findLlm('OPENAI_API_KEY');

const folder = await mkdtemp(join(tmpdir(), 'model-router-'));
const store = fileStore(join(folder, 'models.json')); // what the admin API changes outlives the process
const router = modelRouter({ provider_keys: [], models: [], api_keys: [] }, { store });

const adminKey = randomUUID();
const gateway = await listen(express().use(router));
const admin = await listen(express().use(router.admin({ keys: [adminKey] }))); // nobody else should reach this one

/** Shows a request and its answer, and returns the answer's body. */
async function call(method: string, url: string, key: string, body?: object): Promise<unknown> {
  console.log(`\n${method} ${new URL(url).pathname}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`);
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  const servedBy = response.headers.get('x-aisix-served-by');
  console.log(`  ${response.status}${servedBy === null ? '' : `, x-aisix-served-by: ${servedBy}`}`);
  console.log(`  ${JSON.stringify(answer)}`);
  return answer;
}

const create = (kind: string, value: object) =>
  call('POST', `${admin.url}/admin/v1/${kind}`, adminKey, value);

async function createTarget(
  name: string,
  model: string,
  { endpoint }: { endpoint?: string },
): Promise<unknown> {
  const providerKey = await create('provider_keys', {
    display_name: `${name}-account`,
    provider: 'openai',
    api_key: '$env://OPENAI_API_KEY',
    ...(endpoint !== undefined && { api_base: `${endpoint}/v1` }),
  });
  await create('models', {
    display_name: name,
    provider: 'openai',
    model_name: model,
    provider_key_id: readPath(providerKey, 'id'),
  });
  return providerKey;
}

console.log('--- Two models, an alias for them, and a caller');
const primaryKey = await createTarget('gpt-4o-primary', 'gpt-4o', primary.override);
await createTarget('gpt-4o-secondary', 'gpt-4o-mini', secondary.override);
await create('models', {
  display_name: 'chat-prod',
  routing: {
    strategy: 'failover',
    targets: [{ model: 'gpt-4o-primary' }, { model: 'gpt-4o-secondary' }],
    retries: 1,
    max_fallbacks: 1,
    retry_on_429: true,
  },
});
const callerKey = 'sk-routing-demo';
await create('apikeys', {
  key_hash: createHash('sha256').update(callerKey).digest('hex'),
  allowed_models: ['chat-prod'],
});

const chat = (url: string) =>
  call('POST', `${url}/v1/chat/completions`, callerKey, {
    model: 'chat-prod',
    messages: [{ role: 'user', content: 'What is 1+1?' }],
  });

console.log('\n--- The caller asks the alias');
const before = await chat(gateway.url);

console.log('\n--- The primary goes down: its address becomes one where nobody listens');
const gone = await startMockLlm();
await gone.close();
await call('PUT', `${admin.url}/admin/v1/provider_keys/${readPath(primaryKey, 'id')}`, adminKey, {
  display_name: 'gpt-4o-primary-account',
  provider: 'openai',
  api_key: '***', // as it was
  api_base: `${gone.url}/v1`,
});

console.log('\n--- The same question: the primary is tried twice, then the secondary (the log says so)');
const after = await chat(gateway.url);
const status = await call('GET', `${admin.url}/admin/v1/models/status`, adminKey);

console.log('\n--- A new router with the same file, as after a restart, serves the same models');
const successor = modelRouter({ provider_keys: [], models: [], api_keys: [] }, { store });
const nextGateway = await listen(express().use(successor));
const afterRestart = await chat(nextGateway.url);

await Promise.all([gateway.close(), admin.close(), nextGateway.close()]);
await Promise.all([router.close(), successor.close(), primary.close(), secondary.close()]);
await rm(folder, { recursive: true });
for (const answer of [before, after, afterRestart]) assert.equal(readPath(answer, 'model'), 'chat-prod');
assert.equal(readPath(status, 0, 'status'), 'cooldown');
assert.equal(readPath(status, 1, 'status'), 'healthy');
