import { describe, expect, it } from 'vitest';
import { instance, post, serve } from '../support/app.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';
import { expresses, makeGateway } from './frameworks.ts';

describe.each(expresses)('in a router of $name', ({ express }) => {
  it('works at any depth, and knows the endpoint by the whole path', async () => {
    const llm = await startUpstream(echoModel());
    const gateway = makeGateway({ instances: [instance('a', llm.url)] });
    const inner = express.Router().use('/llm', gateway);
    const app = express().use('/api', express.Router().use('/:tenant', inner));
    const { url } = await serve(app);
    const chat = await post(`${url}/api/acme/llm/v1/chat/completions`, { model: 'x' });
    const embeddings = await post(`${url}/api/acme/llm/v1/embeddings`, { input: 'Hi' });
    expect([chat.status, embeddings.status]).toEqual([200, 200]);
    expect(llm.calls.map((call) => call.url)).toEqual(['/v1/chat/completions', '/v1/embeddings']);
  });

  it('works as the handler of one route', async () => {
    const llm = await startUpstream(echoModel());
    const gateway = makeGateway({ instances: [instance('a', llm.url)] });
    const app = express();
    app.post('/v1/chat/completions', gateway);
    const { url } = await serve(app);
    expect(await (await post(`${url}/v1/chat/completions`)).json()).toMatchObject({ model: 'model-a' });
    expect((await fetch(`${url}/v1/chat/completions`)).status).toBe(404);
    expect(llm.calls).toHaveLength(1);
  });

  it('knows an endpoint of which the mount point is a part', async () => {
    const llm = await startUpstream(echoModel());
    const app = express().use('/v1/embeddings', makeGateway({ instances: [instance('a', llm.url)] }));
    const { url } = await serve(app);
    await post(`${url}/v1/embeddings`, { input: 'Hi' });
    expect(llm.calls[0]?.url).toBe('/v1/embeddings');
  });

  it('passes other paths through without the mount points of all routers', async () => {
    const llm = await startUpstream((_call, res) => answerJson(res, 200, {}));
    const gateway = makeGateway({ instances: [instance('a', llm.url)] });
    const app = express().use('/api', express.Router().use('/llm', gateway));
    const { url } = await serve(app);
    await fetch(`${url}/api/llm/v1/models/gpt-4?x=1`);
    await fetch(`${url}/api/llm`);
    expect(llm.calls.map((call) => call.url)).toEqual(['/v1/models/gpt-4?x=1', '/']);
  });

  it('serves several gateways in one application, each with its own instances', async () => {
    const [first, second] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const app = express()
      .use('/first', makeGateway({ instances: [instance('first', first.url)] }))
      .use('/second', makeGateway({ instances: [instance('second', second.url)] }));
    const { url } = await serve(app);
    expect(await (await post(`${url}/second`)).json()).toMatchObject({ model: 'model-second' });
    expect(await (await post(`${url}/first`)).json()).toMatchObject({ model: 'model-first' });
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });

  it('hands an aborted request to no error middleware, and serves the next', async () => {
    const llm = await startUpstream(echoModel());
    const errors: unknown[] = [];
    const app = express().use(makeGateway({ instances: [instance('a', llm.url)] }));
    app.use(((error, _req, _res, next) => {
      errors.push(error);
      next(error);
    }) satisfies import('express').ErrorRequestHandler);
    const { url } = await serve(app);
    const abort = new AbortController();
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"messages":')),
      pull: () => abort.abort(),
    });
    const unfinished: RequestInit & { duplex: string } = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      duplex: 'half',
      signal: abort.signal,
    };
    await expect(fetch(url, unfinished)).rejects.toThrow();
    expect((await post(url)).status).toBe(200);
    expect(errors).toEqual([]);
    expect(llm.calls).toHaveLength(1);
  });
});
