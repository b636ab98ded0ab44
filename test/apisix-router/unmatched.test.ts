import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { serve } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { send, startRouting } from './routing.ts';

const start = () => startRouting((route) => ({ routes: [route('chat')] }));

describe('a request that no route takes', () => {
  it("is answered in APISIX's words where there is nobody else to ask", async () => {
    const { ask, llm } = await start();
    const answer = await ask('/elsewhere');
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      404,
      'application/json',
      '{"error_msg":"404 Route Not Found"}',
    ]);
    expect(llm.calls).toEqual([]);
  });

  it('is answered without a body where it is a HEAD', async () => {
    const { ask } = await start();
    const { status, text, headers } = await ask('/elsewhere', { method: 'HEAD' });
    expect([status, text, headers['content-length']]).toEqual([404, '', '35']);
  });

  it('goes to the next middleware where there is one, as it came', async () => {
    const { router } = await start();
    const app = express();
    app.use(router);
    app.use(express.json());
    app.use((req, res) => res.json([req.method, req.url, req.body]));
    const { port } = await serve(app);
    const answer = await send(port, '/elsewhere?a=b', { body: '{"c":"d"}' });
    expect(JSON.parse(answer.text)).toEqual(['POST', '/elsewhere?a=b', { c: 'd' }]);
  });

  it('is refused before its body has come, with the end of its connection', async () => {
    const { port } = await start();
    const client = await connectRaw(port);
    client.write('POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{');
    const received = await client.closed();
    expect(received).toMatch(/^HTTP\/1\.1 404 .*Connection: close.*404 Route Not Found"}$/is);
  });

  it('keeps its connection where its body has come', async () => {
    const { port } = await start();
    const client = await connectRaw(port);
    client.write(rawPost('/elsewhere', '{"messages":[]}'));
    await client.until('404 Route Not Found');
    client.write(rawPost('/chat', '{"messages":[]}', ['Connection: close']));
    expect(await client.closed()).toContain('model-chat');
  });

  it('leaves alone a response that somebody has begun', async () => {
    const { router } = await start();
    const { port } = await serve((req, res: ServerResponse) => {
      res.write('begun, ');
      router(req, res);
      res.end('ended');
    });
    expect((await send(port, '/elsewhere')).text).toBe('begun, ended');
  });

  it('whose client has gone does no harm', async () => {
    const { router, port } = await start();
    const late = await serve(async (req, res) => {
      await once(req.socket, 'close');
      router(req, res);
    });
    const client = await connectRaw(late.port);
    client.write(rawPost('/elsewhere', '{}'));
    const [, res] = await once(late.server, 'request');
    client.socket.destroy();
    await once(res, 'close');
    expect((await send(port, '/chat')).status).toBe(200);
  });
});

describe('below a mount point', () => {
  it('paths are those below it', async () => {
    const { router, llm } = await startRouting((route) => ({
      routes: [route('chat'), route('all', { uri: '/llm/*' }), route('root', { uri: '/' })],
    }));
    const app = express();
    app.use('/gateway', router);
    const { port } = await serve(app);
    const whoAt = async (target: string) => (await send(port, target)).who;
    expect(await whoAt('/gateway/chat')).toBe('chat');
    expect(await whoAt('/gateway/llm/chat/completions')).toBe('all');
    expect(await whoAt('/gateway')).toBe('root');
    expect(await whoAt('/chat')).toBe('404');
    expect(await whoAt('/gateway/gateway/chat')).toBe('404');
    expect(llm.calls).toHaveLength(3);
  });

  it('a request may name its host in front of the path', async () => {
    const { router } = await start();
    const app = express();
    app.use('/gateway', router);
    const { port } = await serve(app);
    expect((await send(port, 'http://a.test/gateway/chat')).who).toBe('chat');
  });

  it('nobody climbs out of it', async () => {
    const { router } = await startRouting((route) => ({ routes: [route('admin', { uri: '/admin' })] }));
    const app = express();
    app.use('/gateway', router);
    const { port } = await serve(app);
    expect((await send(port, '/gateway/../admin')).who).toBe('404');
  });
});
