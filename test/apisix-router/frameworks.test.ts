import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type Framework, frameworks } from '../frameworks/frameworks.ts';
import { readAsItComes } from '../frameworks/read-as-it-comes.ts';
import { instance, post, serve } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent, doneEvent, echoModel, startUpstream } from '../support/upstream.ts';
import { openRouter, send, startRouting } from './routing.ts';

type Surrounding = Pick<Framework, 'makeStack'> & { readonly name: string };

/** Where a router is, and how a client calls it there. */
const places = [
  ...frameworks.map((framework: Surrounding) => ({
    name: `mounted on a path of ${framework.name}`,
    path: '/gateway',
    listen(router: ReturnType<typeof openRouter>) {
      const stack = framework.makeStack();
      stack.mount('/gateway', router);
      stack.use((_req, res) => {
        res.statusCode = 404;
        res.end('{"message":"nobody else"}');
      });
      return stack.listener;
    },
  })),
  {
    name: 'as the listener of a bare http server',
    path: '',
    listen: (router: ReturnType<typeof openRouter>) => router,
  },
];

describe.each(places)('a router $name', ({ path, listen }) => {
  it('serves its routes and leaves the others', async () => {
    const { router } = await startRouting((route) => ({
      routes: [route('a', { uri: '/a' }), route('b', { uri: '/b/*' })],
    }));
    const { port } = await serve(listen(router));
    const answers = [];
    for (const target of ['/a', '/b/c', '/d']) answers.push((await send(port, path + target)).who);
    expect(answers).toEqual(['a', 'b', '404']);
  });

  it('turns away who has no key, and knows who has one', async () => {
    const { router, llm } = await startRouting((route) => ({
      routes: [route('a', {}, { 'key-auth': {} })],
      consumers: [{ username: 'jane', plugins: { 'key-auth': { key: 'jane-key' } } }],
    }));
    const locals: unknown[] = [];
    const { port, server } = await serve(listen(router));
    server.prependListener('request', (_req, res: ServerResponse) => {
      res.on('finish', () => locals.push('locals' in res ? res.locals : undefined));
    });
    const refused = await send(port, `${path}/chat`);
    expect([refused.status, refused.text]).toEqual([401, '{"message":"Missing API key in request"}']);
    expect(refused.headers['www-authenticate']).toBe('apikey realm="key"');
    const answer = await send(port, `${path}/chat`, { headers: { apikey: 'jane-key' } });
    expect(answer.who).toBe('a');
    expect(llm.calls).toHaveLength(1);
    expect(locals[1]).toMatchObject({ consumer: { username: 'jane' }, llm_instance: 'a' });
  });

  it('counts what is used up', async () => {
    const limits = { limit: 10, time_window: 60, rejected_code: 429 };
    const { router } = await startRouting((route) => ({
      routes: [route('a', {}, { 'ai-rate-limiting': limits })],
    }));
    const { port } = await serve(listen(router));
    const first = await send(port, `${path}/chat`);
    expect([first.who, first.headers['x-ai-ratelimit-remaining-a']]).toEqual(['a', '10']);
    const second = await send(port, `${path}/chat`);
    expect([second.who, second.headers['retry-after']]).toEqual(['429', '60']);
  });

  it('writes the events of a stream as they arrive', async () => {
    let finish = (): void => {};
    const llm = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('one'));
      finish = () => res.end(doneEvent);
    });
    const plugins = { 'ai-proxy-multi': { instances: [instance('a', llm.url)] satisfies [unknown] } };
    const { url } = await serve(listen(openRouter({ routes: [{ uri: '/chat', plugins }] })));
    const stream = readAsItComes(await post(`${url}${path}/chat`, { messages: [], stream: true }));
    await stream.until('one');
    finish();
    expect(await stream.rest()).toBe(doneEvent);
  });

  it('lets go of the LLM when the client hangs up', async () => {
    const held: ServerResponse[] = [];
    const llm = await startUpstream((_call, res) => held.push(res));
    const plugins = { 'ai-proxy-multi': { instances: [instance('a', llm.url)] satisfies [unknown] } };
    const { port } = await serve(listen(openRouter({ routes: [{ uri: '/chat', plugins }] })));
    const client = await connectRaw(port);
    const called = once(llm.server, 'request');
    client.write(rawPost(`${path}/chat`, '{"messages":[]}'));
    const [, res] = await called;
    client.socket.destroy();
    await once(res, 'close');
    expect(held.map(({ writableFinished }) => writableFinished)).toEqual([false]);
  });
});

describe('a router among other middlewares of an application', () => {
  it('takes a body that another one has read', async () => {
    const [framework] = frameworks;
    const { router, llm } = await startRouting((route) => ({ routes: [route('a')] }));
    const stack = framework.makeStack();
    stack.use(framework.express.json());
    stack.use(router);
    const { port } = await serve(stack.listener);
    expect((await send(port, '/chat')).who).toBe('a');
    expect(JSON.parse(llm.calls[0]?.body ?? '')).toMatchObject({ messages: [{ content: 'Hi' }] });
  });

  it('can stand beside another one, each with routes of its own', async () => {
    const [framework] = frameworks;
    const llm = await startUpstream(echoModel());
    const routing = await startRouting((route) => ({ routes: [route('first', { uri: '/first' })] }));
    const plugins = { 'ai-proxy-multi': { instances: [instance('second', llm.url)] satisfies [unknown] } };
    const stack = framework.makeStack();
    stack.use(routing.router);
    stack.use(openRouter({ routes: [{ uri: '/*', plugins }] }));
    const { port } = await serve(stack.listener);
    expect([(await send(port, '/first')).who, (await send(port, '/x')).who]).toEqual(['first', 'second']);
  });
});
