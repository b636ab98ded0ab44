import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { devNull } from 'node:os';
import { pathToFileURL } from 'node:url';
import express from 'express';
import { serve } from './serve.mjs';

const [upstream, library, key, model, refusingPath] = process.argv.slice(2);
const { aiProxyMulti, aiRateLimiting, keyAuth } = await import(pathToFileURL(library).href);

// A line for every 429 is part of the price, thousands of them on the screen are not.
const logFile = openSync(devNull, 'w');
const write = (level) => (data, msg) => writeSync(logFile, `${JSON.stringify({ level, ...data, msg })}\n`);
const logger = { debug() {}, info() {}, warn: write('warn'), error: console.error };

const instance = {
  provider: 'openai-compatible',
  weight: 1,
  auth: { header: { Authorization: key } },
  options: { model },
  override: { endpoint: upstream },
};
const shared = {
  fallback_strategy: ['http_429', 'http_5xx'],
  // Not below the load's concurrency: the other gateways keep every idle socket.
  keepalive_pool: 256,
};

const two = {
  ...shared,
  instances: [
    { ...instance, name: 'one' },
    { ...instance, name: 'two' },
  ],
};

/** A quota of which nothing is ever missing. */
const limits = {
  instances: [
    { name: 'one', limit: 1e12, time_window: 60 },
    { name: 'two', limit: 1e12, time_window: 60 },
  ],
};

const consumers = (count) =>
  Array.from({ length: count }, (_, index) => ({
    username: `consumer-${index}`,
    plugins: { 'key-auth': { key: `consumer-key-${index}` }, 'ai-rate-limiting': limits },
  }));

/** Made by its first request: ten thousand consumers are no part of what the other measures measure. */
function lazily(make) {
  let handlers;
  return (req, res, next) => {
    handlers ??= make();
    const run = (index) =>
      index === handlers.length ? next() : handlers[index](req, res, () => run(index + 1));
    run(0);
  };
}

const withConsumers = (count) =>
  lazily(() => [keyAuth({}, { logger, consumers: consumers(count) }), aiProxyMulti(two, { logger })]);

const app = express();
app.use('/ai', aiProxyMulti(two, { logger }));
app.use(
  '/limited',
  lazily(() => [aiRateLimiting(limits, { logger }), aiProxyMulti(two, { logger })]),
);
app.use(
  '/unlimited',
  lazily(() => [(_req, _res, next) => next(), aiProxyMulti(two, { logger })]),
);
app.use('/ten-consumers', withConsumers(10));
app.use('/thousand-consumers', withConsumers(1000));
app.use('/ten-thousand-consumers', withConsumers(10_000));
app.use(
  '/fallback',
  aiProxyMulti(
    {
      ...shared,
      instances: [
        {
          ...instance,
          name: 'refusing',
          priority: 1,
          override: { endpoint: `${upstream}${refusingPath}v1/chat/completions` },
        },
        { ...instance, name: 'answering' },
      ],
    },
    { logger },
  ),
);
serve(createServer(app));
