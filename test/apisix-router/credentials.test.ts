import { describe, expect, it } from 'vitest';
import { modelIn } from '../balancer/ask.ts';
import { type InstanceConfig, instance, serve } from '../support/app.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';
import { asRouterConfig, keepLog, openRouter, send, startRouting } from './routing.ts';

const own = { Authorization: 'Bearer callers-own' };

/** A route in the form of seed 004, to this LLM. */
function upstreamForm(url: string, plugins: object = {}): Parameters<typeof openRouter>[0] {
  return asRouterConfig({
    routes: [{ id: 'a', uri: '/*', plugins: { 'ai-proxy': { upstream_id: 'llm' }, ...plugins } }],
    upstreams: [{ id: 'llm', nodes: { [new URL(url).host]: 1 } }],
    consumers: [{ username: 'jane', plugins: { 'key-auth': { key: 'Bearer callers-own' } } }],
  });
}

describe('routes to the same LLM', () => {
  it('each send their own credentials, one after another and at once', async () => {
    const { ask, llm } = await startRouting((route, { url }) => {
      const to = (name: string, more: Partial<InstanceConfig> = {}) => ({
        'ai-proxy-multi': { instances: [instance(name, url, more)] satisfies [unknown] },
      });
      return {
        routes: [
          route('a', { uri: '/a' }, to('a')),
          route('b', { uri: '/b' }, to('b', { auth: { header: { 'x-key': 'key-b' } } })),
          route('c', { uri: '/c' }, to('c', { auth: { query: { key: 'key-c' } } })),
        ],
      };
    });
    const paths = ['/a', '/b', '/c', '/a', '/b', '/c'];
    for (const path of paths) await ask(path);
    await Promise.all(paths.map((path) => ask(path)));
    const sent = llm.calls.map(({ body, headers, url }) => ({
      model: modelIn(body),
      credentials: [
        headers.authorization,
        headers['x-key'],
        new URL(url, 'http://llm').searchParams.get('key'),
      ],
    }));
    const expected = new Map([
      ['model-a', ['Bearer key-a', undefined, null]],
      ['model-b', [undefined, 'key-b', null]],
      ['model-c', [undefined, undefined, 'key-c']],
    ]);
    expect(sent).toHaveLength(12);
    for (const { model, credentials } of sent) expect(credentials).toEqual(expected.get(model));
  });

  it('do not share connections', async () => {
    const { ask, llm } = await startRouting((route) => ({
      routes: [route('a', { uri: '/a' }), route('b', { uri: '/b' })],
    }));
    for (const path of ['/a', '/b', '/a', '/b']) await ask(path);
    const [a, b, ...others] = llm.calls.map(({ socket }) => socket);
    expect(a === b).toBe(false);
    expect(others.map((socket, index) => socket === [a, b][index])).toEqual([true, true]);
  });
});

describe("the caller's own Authorization", () => {
  it('goes to upstreams that have no credentials, and to no other LLM', async () => {
    const { llm, port } = await startRouting((route, { url }) =>
      asRouterConfig({
        routes: [route('named', { uri: '/named' }), ...[upstreamForm(url).routes].flat()],
        upstreams: upstreamForm(url).upstreams,
      }),
    );
    await send(port, '/named', { headers: own });
    await send(port, '/other', { headers: own });
    expect(llm.calls.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer key-named',
      'Bearer callers-own',
    ]);
  });

  it('goes alone: other credentials stay here', async () => {
    const llm = await startUpstream(echoModel());
    const { port } = await serve(openRouter(upstreamForm(llm.url)));
    await send(port, '/x', { headers: { ...own, cookie: 'session=1', 'x-api-key': 'k', apikey: 'k' } });
    expect(llm.calls[0]?.headers).toMatchObject({ authorization: 'Bearer callers-own' });
    for (const name of ['cookie', 'x-api-key', 'apikey']) {
      expect(llm.calls[0]?.headers).not.toHaveProperty(name);
    }
  });

  it('goes beside those that the host wants to pass on', async () => {
    const llm = await startUpstream(echoModel());
    const host = { ...keepLog().host, forwardHeaders: ['X-Api-Key'] };
    const { port } = await serve(openRouter(upstreamForm(llm.url), host));
    await send(port, '/x', { headers: { ...own, cookie: 'session=1', 'x-api-key': 'k' } });
    expect(llm.calls[0]?.headers).toMatchObject({ authorization: 'Bearer callers-own', 'x-api-key': 'k' });
    expect(llm.calls[0]?.headers).not.toHaveProperty('cookie');
  });

  it('goes nowhere where key-auth has known the caller by it', async () => {
    const llm = await startUpstream(echoModel());
    const config = upstreamForm(llm.url, { 'key-auth': { header: 'Authorization' } });
    const { port } = await serve(openRouter(config));
    expect((await send(port, '/x', { headers: own })).status).toBe(200);
    expect(llm.calls[0]?.headers).not.toHaveProperty('authorization');
  });

  it('goes on where key-auth has known the caller by something else', async () => {
    const llm = await startUpstream(echoModel());
    const config = upstreamForm(llm.url, { 'key-auth': {} });
    const { port } = await serve(openRouter(config));
    await send(port, '/x', { headers: { ...own, apikey: 'Bearer callers-own' } });
    expect(llm.calls[0]?.headers).toMatchObject({ authorization: 'Bearer callers-own' });
    expect(llm.calls[0]?.headers).not.toHaveProperty('apikey');
  });

  it('is shown in no log, however an LLM quotes it', async () => {
    const quoting = await startUpstream(({ headers }, res) =>
      answerJson(res, 500, { error: { message: `Incorrect API key: ${headers.authorization}` } }),
    );
    const spare = await startUpstream(echoModel());
    const log = keepLog();
    const config = asRouterConfig({
      routes: [
        { uri: '/*', plugins: { 'ai-proxy': { upstream_id: 'quoting', upstream_fallback_id: 'spare' } } },
      ],
      upstreams: {
        quoting: { nodes: { [new URL(quoting.url).host]: 1 } },
        spare: { nodes: { [new URL(spare.url).host]: 1 } },
      },
    });
    const { port } = await serve(openRouter(config, log.host));
    expect((await send(port, '/x', { headers: own })).status).toBe(200);
    expect(JSON.stringify(log.lines)).toContain('Incorrect API key');
    expect(JSON.stringify(log.lines)).not.toContain('callers-own');
  });
});
