/**
 * The access log: what the LLM did, as morgan tokens, in the format of APISIX's example.
 *
 *     npx tsx --tsconfig examples/tsconfig.json examples/access-log.ts
 *
 * Runs against a mock; with OPENAI_API_KEY in the environment, against OpenAI.
 */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { aiProxyMulti, registerMorganTokens } from 'ai-proxy-multi';
import express from 'express';
import morgan from 'morgan';
import { findLlm, listen, postJson } from './support.ts';

const openai = await findLlm('OPENAI_API_KEY');

const gateway = aiProxyMulti({
  instances: [
    {
      name: 'openai-instance',
      provider: 'openai',
      weight: 1,
      auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } },
      options: { model: 'gpt-4' },
      override: openai.override,
    },
  ],
});

// Makes :request_type, :llm_model and the other llm_* variables known to morgan.
registerMorganTokens(morgan);
morgan.token('request-id', () => randomUUID().replaceAll('-', ''));

const format = [
  ':remote-addr - :remote-user [:date[clf]] :req[host] ":method :url HTTP/:http-version"',
  ':status :res[content-length] :total-time ":referrer" ":user-agent"',
  // nginx's columns about its upstream: who answered, how, and after how many milliseconds
  ':llm_instance - :llm_upstream_response_time ":llm_provider" ":request-id"',
  '":request_type" ":llm_time_to_first_token" ":llm_model" ":llm_prompt_tokens" ":llm_completion_tokens"',
].join(' ');

const log = new PassThrough(); // here: your log file, or leave `stream` out for stdout

const app = express();
app.use(morgan(format, { stream: log }));
app.use('/anything', gateway);
const server = await listen(app);

// morgan writes its line once the answer has been sent, which may be after the client has read it.
const logged = once(log, 'data');
await postJson(`${server.url}/anything`, {
  messages: [
    { role: 'system', content: 'You are a mathematician' },
    { role: 'user', content: 'What is 1+1?' },
  ],
});
const line = String(await logged).trim();
console.log(line);

await Promise.all([server.close(), gateway.close(), openai.close()]);
assert.match(line, /"ai_chat" "\d+" "gpt-4[^"]*" "\d+" "\d+"$/);
