import { createServer } from 'node:http';
import { Pool } from 'undici';
import { serve } from './serve.mjs';

const [upstream] = process.argv.slice(2);
const { host } = new URL(upstream);
const pool = new Pool(upstream, { headersTimeout: 30_000, bodyTimeout: 30_000 });

const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding'];

/** @param {Record<string, string | string[] | undefined>} headers */
function endToEnd(headers) {
  const kept = { ...headers };
  for (const name of HOP_BY_HOP) delete kept[name];
  return kept;
}

serve(
  createServer((req, res) => {
    const request = {
      path: req.url.slice('/ai'.length),
      method: req.method,
      headers: { ...endToEnd(req.headers), host },
      body: req,
      opaque: res,
    };
    // Straight into `res`, without the Readable that `pool.request` would put between.
    pool.stream(
      request,
      ({ statusCode, headers, opaque }) => opaque.writeHead(statusCode, endToEnd(headers)),
      (error) => {
        if (error === null) return;
        if (res.headersSent) res.destroy();
        else res.writeHead(502).end();
      },
    );
  }),
);
