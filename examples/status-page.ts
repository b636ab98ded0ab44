/**
 * The status page: what the gateway is doing, live in a browser, behind a password of your own.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/status-page.ts
 *
 * Runs against mocks and reads what a browser would; `npm start` serves the page for you to look at.
 */

import assert from 'node:assert/strict';
import { createHash, timingSafeEqual } from 'node:crypto';
import { aiProxyMulti, statusPage } from 'ai-proxy-multi';
import express, { type RequestHandler } from 'express';
import { startMockLlm } from './mock-llm.ts';
import { readPath } from './read-path.ts';
import { describeAttempts, listen, postJson } from './support.ts';

const openai = await startMockLlm({ fail: '429', failEvery: 2 });
const deepseek = await startMockLlm();

const auth = { header: { Authorization: 'Bearer the-mock-needs-no-key' } };
const gateway = aiProxyMulti({
  fallback_strategy: ['http_429', 'http_5xx'],
  instances: [
    { name: 'openai', provider: 'openai', weight: 1, priority: 1, auth, override: { endpoint: openai.url } },
    { name: 'deepseek', provider: 'deepseek', weight: 1, auth, override: { endpoint: deepseek.url } },
  ],
});

const status = statusPage(gateway, { names: ['chat'] });

// The page asks nobody who they are. Here it is the browser that asks for a password; yours may be a session.
const expected = `Basic ${Buffer.from('operator:a-password-of-yours').toString('base64')}`;
const digest = (text: string) => createHash('sha256').update(text).digest();
const requireOperator: RequestHandler = (req, res, next) => {
  if (timingSafeEqual(digest(req.headers.authorization ?? ''), digest(expected))) next();
  else res.set('www-authenticate', 'Basic realm="status"').sendStatus(401);
};

const app = express();
app.use('/status', requireOperator, status);
app.use('/ai', gateway);
const server = await listen(app);

const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };
for (let request = 0; request < 4; request++) await postJson(`${server.url}/ai`, chat);

const stranger = await fetch(`${server.url}/status`);
console.log(`Without a password: ${stranger.status}`);

const headers = { authorization: expected };
const page = await fetch(`${server.url}/status`, { headers });
console.log(`The page: ${page.status}, ${page.headers.get('content-type')}`);

const figures = await (await fetch(`${server.url}/status/status.json`, { headers })).json();
const chatStatus = readPath(figures, 'gateways', 0, 'status');
for (const index of [0, 1]) {
  const instance = readPath(chatStatus, 'instances', index);
  const moved = `${readPath(instance, 'fallbacks', 'out')} out, ${readPath(instance, 'fallbacks', 'in')} in`;
  console.log(
    `${readPath(instance, 'name')}: ${readPath(instance, 'attempts')} attempts, fallbacks ${moved}`,
  );
}
const fallback = readPath(chatStatus, 'recent_fallbacks', 0);
console.log(`The last fallback: ${describeAttempts(readPath(fallback, 'attempts'))}`);

// The page itself listens to this stream.
const events = await fetch(`${server.url}/status/events`, { headers });
let live = '';
for await (const chunk of events.body ?? []) {
  live += Buffer.from(chunk).toString();
  if (/^data: .*\n\n/m.test(live)) break;
}
console.log(`Live: ${live.match(/"in_flight":\d+/)?.[0]}`);

// Viewers would keep the server open.
status.close();
await Promise.all([server.close(), gateway.close(), openai.close(), deepseek.close()]);
assert.equal(stranger.status, 401);
assert.equal(page.status, 200);
assert.equal(readPath(chatStatus, 'requests', 'complete'), 4);
assert.equal(describeAttempts(readPath(fallback, 'attempts')), 'openai 429 → deepseek 200');
assert.match(live, /"in_flight":0/);
