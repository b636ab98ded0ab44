import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { type InstalledPackage, installPackage } from './installed-package.ts';

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage('express', 'express4');
}, 120_000);
afterAll(() => installed.remove());

const PUBLIC = [
  'ConfigError',
  'aiProxy',
  'aiProxyMulti',
  'aiRateLimiting',
  'apisixRouter',
  'fileStore',
  'keyAuth',
  'llmVariables',
  'modelRouter',
  'prometheusMetrics',
  'registerMorganTokens',
  'statusPage',
];

/** A gateway that serves one request to itself and is then closed, as a host application closes. */
const serveOnce = `
  const http = require('node:http');
  const { aiProxyMulti } = require('ai-proxy-multi');
  const gateway = aiProxyMulti({
    keepalive_timeout: 3600000,
    max_stream_duration_ms: 3600000,
    instances: [{ name: 'a', provider: 'openai', weight: 1, auth: {}, override: { endpoint: process.argv[2] } }],
  });
  const server = http.createServer(gateway).listen(0, '127.0.0.1', async () => {
    const url = 'http://127.0.0.1:' + server.address().port + '/v1/chat/completions';
    const request = http.request(url, { method: 'POST', agent: false }, (answer) => {
      answer.setEncoding('utf8').on('data', (text) => process.stdout.write(text));
      answer.on('end', async () => {
        server.close();
        await gateway.close();
      });
    });
    request.end('{"messages":[],"model":"m","stream":false}');
  });
`;

describe('the installed package', () => {
  it('is loaded with import', async () => {
    const { code, stdout, stderr } = await installed.node(
      'load.mjs',
      `import * as all from 'ai-proxy-multi'; console.log(JSON.stringify(Object.keys(all).sort()));`,
    );
    expect([stderr, code]).toEqual(['', 0]);
    expect(JSON.parse(stdout)).toEqual(PUBLIC);
  });

  it('is loaded with require(), without a warning', async () => {
    const { code, stdout, stderr } = await installed.node(
      'load.cjs',
      `const { aiProxyMulti, ...others } = require('ai-proxy-multi');
       console.log(JSON.stringify([typeof aiProxyMulti, ...Object.keys(others).sort()]));`,
    );
    expect([stderr, code]).toEqual(['', 0]);
    expect(JSON.parse(stdout)).toEqual(['function', ...PUBLIC.filter((name) => name !== 'aiProxyMulti')]);
  });

  it.each([
    ['import', 'error.mjs', `import { aiProxyMulti, ConfigError } from 'ai-proxy-multi';`],
    ['require()', 'error.cjs', `const { aiProxyMulti, ConfigError } = require('ai-proxy-multi');`],
  ])('has a ConfigError that instanceof knows, by %s', async (_how, file, load) => {
    const { stdout, stderr } = await installed.node(
      file,
      `${load}
       try {
         aiProxyMulti({ instances: [] });
       } catch (error) {
         const facts = [error instanceof ConfigError, error instanceof Error, error.name, error.errors.length];
         console.log(JSON.stringify(facts));
       }`,
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([true, true, 'ConfigError', 1]);
  });

  it.each(['express', 'express4'])('works in %s with the schemas it brings', async (express) => {
    const llm = await startUpstream(echoModel());
    const { stdout, stderr } = await installed.node(
      `${express}.mjs`,
      `import express from '${express}';
       import { aiProxyMulti } from 'ai-proxy-multi';
       const gateway = aiProxyMulti({
         instances: [{ name: 'a', provider: 'openai', weight: 1, auth: {}, override: { endpoint: '${llm.url}' } }],
       });
       const server = express().use('/ai', gateway).listen(0, '127.0.0.1', async () => {
         const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"messages":[]}' };
         const answer = await fetch('http://127.0.0.1:' + server.address().port + '/ai', init);
         console.log((await answer.json()).choices[0].message.content);
         server.close();
         server.closeAllConnections();
         await gateway.close();
       });`,
    );
    expect([stdout, stderr]).toEqual(['Hello\n', '']);
  });

  it('exposes its schemas and its manifest, and none of its inner files', async () => {
    const { stdout, stderr } = await installed.node(
      'paths.cjs',
      `console.log(require('ai-proxy-multi/schema/ai-proxy-multi.json').type);
       console.log(require('ai-proxy-multi/package.json').name);
       try { require('ai-proxy-multi/dist/gateway.js'); } catch (error) { console.log(error.code); }`,
    );
    expect([stdout, stderr]).toEqual(['object\nai-proxy-multi\nERR_PACKAGE_PATH_NOT_EXPORTED\n', '']);
  });
});

describe('a process that uses the installed package', () => {
  it('ends by itself after loading it, which leaves nothing open', async () => {
    const { code, stdout } = await installed.node(
      'idle.mjs',
      `import 'ai-proxy-multi';
       // Standard output is a pipe here.
       const open = () => process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap');
       setImmediate(() => console.log(JSON.stringify(open())));`,
    );
    expect([code, stdout]).toEqual([0, '[]\n']);
  });

  it('ends by itself after making a gateway that is never used', async () => {
    const { code, stderr } = await installed.node(
      'unused.mjs',
      `import { aiProxyMulti } from 'ai-proxy-multi';
       aiProxyMulti({ instances: [{ name: 'a', provider: 'openai', weight: 1, auth: {} }] });`,
    );
    expect([code, stderr]).toEqual([0, '']);
  });

  it('ends by itself when its server and its gateway are closed, though the LLM keeps its sockets open', async () => {
    const llm = await startUpstream(echoModel());
    llm.server.keepAliveTimeout = 0;
    const { code, stdout, stderr } = await installed.node('closing.cjs', serveOnce, llm.url);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ model: 'm' });
    for (const socket of llm.sockets) await once(socket, 'close');
    expect(llm.connections).toBe(1);
  });
});
