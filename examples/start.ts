/**
 * A gateway to try things on (`npm start`): three mock LLMs behind it, one of them flaky, one slow.
 * PORT sets its port; without it the first free one from 3000 on is taken.
 */

import { aiProxyMulti, llmVariables, statusPage } from 'ai-proxy-multi';
import express from 'express';
import morgan from 'morgan';
import { startMockLlm } from './mock-llm.ts';
import { readPath } from './read-path.ts';
import { describeAttempts, listen, type Site } from './support.ts';

const plain = await startMockLlm({ name: 'plain' });
const flaky = await startMockLlm({ name: 'flaky', fail: '429', failEvery: 3 });
const slow = await startMockLlm({ name: 'slow', latencyMs: 700, tokenDelayMs: 70 });

const auth = { header: { Authorization: 'Bearer the-mock-needs-no-key' } };
const gateway = aiProxyMulti(
  {
    fallback_strategy: ['http_429', 'http_5xx'],
    instances: [
      { name: 'flaky', provider: 'openai', weight: 2, auth, override: { endpoint: flaky.url } },
      { name: 'slow', provider: 'openai', weight: 1, auth, override: { endpoint: slow.url } },
      { name: 'plain', provider: 'openai', weight: 1, auth, override: { endpoint: plain.url } },
    ],
  },
  { servedByHeader: 'x-served-by' },
);

const page = statusPage(gateway, { names: ['npm start'] });

morgan.token('attempts', (_req, res) => describeAttempts(llmVariables(res).llm_attempts));

const app = express();
// Before the log: a browser that looks at it asks all the time.
app.use('/status', page);
app.use(morgan(':method :url :status in :total-time[0] ms: :attempts'));
app.use(gateway);

const server = await listenWherePossible();
const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'What is 1+1?' }] };
console.log(`
The gateway listens on ${server.url}. Behind it: "flaky" answers every third request with
a 429, "slow" takes its time, "plain" does neither. Try, some of it more than once:

${curl('/v1/chat/completions', chat)}
${curl('/v1/chat/completions', { ...chat, stream: true })}
${curl('/v1/embeddings', { model: 'text-embedding-3-small', input: 'hello world' })}
curl -sN ${server.url}/v1/models

What they are doing, live: ${server.url}/status

With -i you see in x-served-by which of them has answered. With -H 'x-mock-fail: flaky=500' the one that
answers half of them fails (or 429, 503, 401, reset, stall, cut, error-event, slow). The log, a line for each request:
`);

process.once('SIGINT', stop);
process.once('SIGTERM', stop);

async function listenWherePossible(): Promise<Site> {
  const wanted = process.env.PORT;
  const ports =
    wanted === undefined ? Array.from({ length: 10 }, (_, index) => 3000 + index) : [Number(wanted)];
  for (const port of ports) {
    try {
      return await listen(app, port);
    } catch (error) {
      if (readPath(error, 'code') !== 'EADDRINUSE') throw error;
    }
  }
  console.error(`Port ${ports.join(', ')} is in use. Choose another one: PORT=8080 npm start`);
  process.exit(1);
}

function curl(path: string, body: object): string {
  return `curl -sN ${server.url}${path} -H 'content-type: application/json' -d '${JSON.stringify(body)}'`;
}

/** The front door first, so that requests under way still find their LLM. A second signal ends it at once. */
async function stop(): Promise<void> {
  // A browser may hold a connection open on which it never asks anything; that must not keep us here.
  setTimeout(() => process.exit(), 5000).unref();
  page.close();
  await server.close();
  await gateway.close();
  await Promise.all([plain.close(), flaky.close(), slow.close()]);
  console.log('Stopped.');
}
