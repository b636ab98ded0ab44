import { Agent, createServer } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { serve } from './serve.mjs';

const [target] = process.argv.slice(2);

const app = express();
app.use('/ai', createProxyMiddleware({ target, changeOrigin: true, agent: new Agent({ keepAlive: true }) }));
serve(createServer(app));
