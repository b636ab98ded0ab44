/**
 * Two gateway processes, one Redis, one quota: what one process has used is missing in the other.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/redis.ts
 *
 * Starts a Redis of its own when `redis-server` is on the PATH. With REDIS_HOST (and REDIS_PORT) in the environment it
 * uses that one; its keys there are gone after a minute. The gateway is in redis/gateway-process.ts.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startMockLlm } from './mock-llm.ts';
import { readPath } from './read-path.ts';
import { findRedis } from './redis/find-redis.ts';
import { postJson } from './support.ts';

const redis = await findRedis();
if (redis === undefined) {
  console.log('Nothing to show: there is no redis-server on the PATH, and REDIS_HOST names none elsewhere.');
  console.log('To install one: apt install redis-server, or brew install redis.');
  process.exit(0);
}

/** Of the mock's answer and its question. */
const TOKENS_OF_ONE_ANSWER = 13;
const LIMIT = 10 * TOKENS_OF_ONE_ANSWER;

const llm = await startMockLlm();
const settings = {
  REDIS_HOST: redis.host,
  REDIS_PORT: String(redis.port),
  REDIS_KEY_PREFIX: `example-${randomUUID()}`, // so that a second run within the minute starts afresh
  TOKENS_PER_MINUTE: String(LIMIT),
  LLM_URL: llm.url,
};

interface GatewayProcess {
  url: string;
  child: ChildProcess;
}

async function startGateway(): Promise<GatewayProcess> {
  const file = fileURLToPath(new URL('redis/gateway-process.ts', import.meta.url));
  const child = fork(file, { env: { ...process.env, ...settings } });
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('a gateway process did not start')));
  const [url] = await Promise.race([once(child, 'message'), failed]);
  return { url: String(url), child };
}

const gateways = await Promise.all([startGateway(), startGateway()]);

const ask = ({ url }: GatewayProcess) =>
  postJson(`${url}/ai`, { model: 'gpt-4o', messages: [{ role: 'user', content: 'What is 1+1?' }] });

/** Both processes at the same time, several requests each. */
async function askBoth(timesEach: number): Promise<number[]> {
  const asked = gateways.flatMap((gateway) => Array.from({ length: timesEach }, () => ask(gateway)));
  return (await Promise.all(asked)).map(({ status }) => status);
}

/** What one process says is left. A list of models costs no tokens, and has the headers that every answer has. */
async function quotaLeft({ url }: GatewayProcess): Promise<number> {
  const { headers } = await fetch(`${url}/ai/v1/models`);
  return Number(headers.get('x-ai-ratelimit-remaining-llm'));
}

async function quotaLeftInBoth(): Promise<number[]> {
  // No answer waits until it is charged. A process sends Redis its charges before its next question, so after a
  // question from each of them Redis has them all.
  await Promise.all(gateways.map(quotaLeft));
  return Promise.all(gateways.map(quotaLeft));
}

console.log(`Two processes have ${LIMIT} tokens a minute between them.`);
const firstStatuses = await askBoth(2);
const afterFour = await quotaLeftInBoth();
console.log(`After four answers, each of them says: ${afterFour.join(' and ')} left`);
const nextStatuses = await askBoth(3);
const afterTen = await quotaLeftInBoth();
console.log(`After ten answers: ${afterTen.join(' and ')} left`);
const refused = await Promise.all(gateways.map(ask));
for (const { status, body } of refused) {
  console.log(`One more: ${status} ${readPath(body, 'error', 'code')}`);
}

for (const { child } of gateways) {
  child.disconnect(); // which the gateway takes as the sign to close
  await once(child, 'exit');
}
await Promise.all([llm.close(), redis.close()]);
assert.deepEqual(
  [...firstStatuses, ...nextStatuses],
  Array.from({ length: 10 }, () => 200),
);
assert.deepEqual(afterFour, [LIMIT - 4 * TOKENS_OF_ONE_ANSWER, LIMIT - 4 * TOKENS_OF_ONE_ANSWER]);
assert.deepEqual(afterTen, [0, 0]);
assert.deepEqual(
  refused.map(({ status }) => status),
  [503, 503],
);
