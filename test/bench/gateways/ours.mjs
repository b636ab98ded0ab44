import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { devNull } from 'node:os';
import { pathToFileURL } from 'node:url';
import express from 'express';
import { serve } from './serve.mjs';

const [upstream, library, key, model, refusingPath] = process.argv.slice(2);
const { aiProxyMulti } = await import(pathToFileURL(library).href);

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

const app = express();
app.use(
  '/ai',
  aiProxyMulti(
    {
      ...shared,
      instances: [
        { ...instance, name: 'one' },
        { ...instance, name: 'two' },
      ],
    },
    { logger },
  ),
);
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
