import { aiProxy, aiProxyMulti, apisixRouter, statusPage } from 'ai-proxy-multi';
import compression from 'compression';
import express from 'express';
import helmet from 'helmet';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readPath } from '../../examples/read-path.ts';
import { type Framework, frameworks } from '../frameworks/frameworks.ts';
import { instance, serve } from '../support/app.ts';
import { sendRaw } from '../support/gateway.ts';
import { connectRaw } from '../support/raw.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { busyInstance, gatewayStatus, instanceStatus, makeSource } from './sources.ts';

const source = makeSource(gatewayStatus([busyInstance('openai'), instanceStatus('deepseek')]));

/** A page below a mount point, with a handler behind it that answers 418. */
async function serveBelow(framework: Framework, mount: string) {
  const stack = framework.makeStack();
  const page = statusPage(source);
  stack.mount(mount, page);
  stack.use((_req, res) => {
    res.statusCode = 418;
    res.end();
  });
  onTestFinished(() => page.close());
  return serve(stack.listener);
}

async function json(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

describe.each(frameworks)('in $name', (framework) => {
  it('serves page, JSON and events below a mount point, whatever the slash and the query', async () => {
    const { url } = await serveBelow(framework, '/ops/status');
    for (const path of ['/ops/status', '/ops/status/', '/ops/status?x=1', '/ops/status/?x=1']) {
      const answer = await fetch(url + path, { redirect: 'error' });
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await answer.text()).toMatch(/^<!doctype html>/);
    }
    expect(await json(`${url}/ops/status/status.json?x=1`)).toMatchObject({
      gateways: [{ name: 'gateway 1' }],
    });
    const events = await fetch(`${url}/ops/status/events`);
    expect(events.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await events.body?.cancel();
  });

  it('leaves everything else to who comes next', async () => {
    const { url } = await serveBelow(framework, '/status');
    for (const path of ['/', '/status/other', '/status/events/more', '/statusses']) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 418]);
    }
    expect((await fetch(`${url}/status/other`, { method: 'POST' })).status).toBe(418);
  });
});

describe('a bare http server', () => {
  it('is served without a next, and told 404 of what is not there', async () => {
    const { url } = await serve(statusPage(source));
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(`${url}/status.json`)).status).toBe(200);
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });

  it.each(['/', '/status.json', '/events'])(
    'is not brought down by a status() that throws: %s',
    async (path) => {
      const broken = {
        status: () => {
          throw new Error('of the source, with a secret');
        },
      };
      const { url } = await serve(statusPage(broken));
      const answer = await fetch(url + path);
      expect(answer.status).toBe(path === '/' ? 200 : 500);
      expect(await answer.text()).not.toContain('of the source');
    },
  );
});

describe('every answer', () => {
  it.each(['/', '/status.json', '/events', '/other'])(
    'is kept by nobody and framed by nobody: %s',
    async (path) => {
      const { url } = await serve(statusPage(source));
      const answer = await fetch(url + path);
      expect(answer.headers.get('cache-control')).toMatch(/^no-store/);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      const policy = answer.headers.get('content-security-policy')?.split('; ');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      await answer.body?.cancel();
    },
  );

  it('allows no inline part but those of the page, and no other host', async () => {
    const { url } = await serve(statusPage(source));
    const policy = (await fetch(url)).headers.get('content-security-policy') ?? '';
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toMatch(/https?:|\*/);
    expect(policy).toMatch(/script-src 'sha256-[\w+/=]{44}'/);
    expect(policy).toMatch(/style-src 'sha256-[\w+/=]{44}'/);
    expect(policy).toContain("connect-src 'self'");
  });

  it.each(['/', '/status.json', '/events'])(
    'to a HEAD has the head of a GET and no body: %s',
    async (path) => {
      const { url, port } = await serve(statusPage(source));
      const head = await fetch(url + path, { method: 'HEAD' });
      const get = await fetch(url + path);
      const kept = (answer: Response) =>
        [...answer.headers].filter(
          ([name]) => !['date', 'connection', 'keep-alive', 'transfer-encoding'].includes(name),
        );
      expect([head.status, kept(head)]).toEqual([get.status, kept(get)]);
      await get.body?.cancel();
      expect((await sendRaw(port, `HEAD ${path}`)).body).toBe('');
    },
  );

  it('keeps its own policy behind helmet', async () => {
    const { url } = await serve(statusPage(source));
    const behind = await serve(express().use(helmet(), statusPage(source)));
    const policyOf = async (site: string) => (await fetch(site)).headers.get('content-security-policy');
    expect(await policyOf(behind.url)).toBe(await policyOf(url));
  });

  it('reaches viewers at once through a middleware that compresses', async () => {
    const page = statusPage(source);
    onTestFinished(() => page.close());
    const { port } = await serve(express().use(compression({ threshold: 0 }), page));
    const client = await connectRaw(port);
    client.write('GET /events HTTP/1.1\r\nHost: status.test\r\nAccept-Encoding: gzip\r\n\r\n');
    expect(await client.until('"gateways"')).toContain('"deepseek"');
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('to a %s is 405', async (method) => {
    const { url } = await serve(statusPage(source));
    for (const path of ['/', '/status.json', '/events']) {
      const answer = await fetch(url + path, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });
});

describe('status.json', () => {
  it('holds what status() says, and when', async () => {
    const { url } = await serve(statusPage(source));
    const before = Date.now();
    const document = await json(`${url}/status.json`);
    expect(document).toEqual({
      at: expect.any(String),
      gateways: [{ name: 'gateway 1', status: source.status() }],
    });
    const at = readPath(document, 'at');
    expect(Date.parse(String(at))).toBeGreaterThanOrEqual(before);
  });

  it('titles gateways by number, or as the options say', async () => {
    const names = async (page: ReturnType<typeof statusPage>) => {
      const { url } = await serve(page);
      return json(`${url}/status.json`);
    };
    const titled = (...titles: string[]) => ({ gateways: titles.map((name) => ({ name })) });
    expect(await names(statusPage(source, source))).toMatchObject(titled('gateway 1', 'gateway 2'));
    expect(await names(statusPage(source, source, {}))).toMatchObject(titled('gateway 1', 'gateway 2'));
    expect(await names(statusPage(source, source, { names: ['chat'] }))).toMatchObject(
      titled('chat', 'gateway 2'),
    );
  });

  it('has each route of a router, by its id', async () => {
    const upstream = await startUpstream(echoModel());
    const plugins = { 'ai-proxy-multi': { instances: [instance('one', upstream.url)] } };
    const router = apisixRouter({
      routes: [
        { id: 'chat', uri: '/chat', plugins },
        { id: 'instances', uri: '/more', plugins },
      ],
    });
    onTestFinished(() => router.close());
    const { url } = await serve(statusPage(router, router, { names: ['apisix'] }));
    expect(await json(`${url}/status.json`)).toMatchObject({
      gateways: [
        { name: 'apisix / chat', status: { instances: [{ name: 'one' }] } },
        { name: 'apisix / instances', status: { instances: [{ name: 'one' }] } },
        { name: 'route chat' },
        { name: 'route instances' },
      ],
    });
  });

  it('holds no secret of a real gateway', async () => {
    const upstream = await startUpstream(echoModel());
    const multi = aiProxyMulti({ instances: [instance('one', `${upstream.url}/v1?key=in-the-url`)] });
    const single = aiProxy({
      provider: 'openai-compatible',
      auth: { header: { Authorization: 'Bearer secret-of-one' }, query: { key: 'secret-of-two' } },
      override: { endpoint: upstream.url },
    });
    onTestFinished(async () => {
      await Promise.all([multi.close(), single.close()]);
    });
    const { url } = await serve(statusPage(multi, single));
    const text = await (await fetch(`${url}/status.json`)).text();
    expect(text).toContain('"ai-proxy-openai-compatible"');
    for (const secret of ['key-one', 'secret-of-one', 'secret-of-two', 'in-the-url'])
      expect(text).not.toContain(secret);
  });
});
