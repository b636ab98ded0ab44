/** The gateway that redis.ts runs twice: what you would run on each of your machines. */

import { aiProxyMulti, aiRateLimiting } from 'ai-proxy-multi';
import express from 'express';
import { listen } from '../support.ts';

const { REDIS_HOST = '', REDIS_PORT, REDIS_KEY_PREFIX = '', TOKENS_PER_MINUTE, LLM_URL = '' } = process.env;

const limiter = aiRateLimiting({
  limit: Number(TOKENS_PER_MINUTE),
  time_window: 60,
  policy: 'redis', // needs `npm install ioredis`
  redis_host: REDIS_HOST,
  redis_port: Number(REDIS_PORT),
  // Limiters with the same limits and the same prefix share their counters: here both processes are to.
  redis_key_prefix: REDIS_KEY_PREFIX,
});

const gateway = aiProxyMulti({
  instances: [
    { name: 'llm', provider: 'openai-compatible', weight: 1, auth: {}, override: { endpoint: LLM_URL } },
  ],
});

const app = express();
app.use('/ai', limiter, gateway);
const server = await listen(app);

// Also when the parent is killed.
process.once('disconnect', async () => {
  await server.close();
  await Promise.all([gateway.close(), limiter.close()]);
});
process.send?.(server.url);
