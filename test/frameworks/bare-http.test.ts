import type { ServerResponse } from 'node:http';
import { llmVariables } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { instance, post, serve } from '../support/app.ts';
import { answerJson, chatEvent, doneEvent, echoModel, startUpstream } from '../support/upstream.ts';
import { makeGateway } from './frameworks.ts';
import { readAsItComes } from './read-as-it-comes.ts';

type Gateway = ReturnType<typeof makeGateway>;

/** A plain `http.createServer(gateway)`, and its responses as they were when they finished. */
async function serveBare(gateway: Gateway): Promise<{ url: string; finished: ServerResponse[] }> {
  const finished: ServerResponse[] = [];
  const { url, server } = await serve(gateway);
  server.prependListener('request', (_req, res) => res.on('finish', () => finished.push(res)));
  return { url, finished };
}

describe('a gateway as the listener of a bare http server', () => {
  it('answers a chat request', async () => {
    const llm = await startUpstream(echoModel());
    const { url } = await serveBare(makeGateway({ instances: [instance('a', llm.url)] }));
    const answer = await post(`${url}/v1/chat/completions`);
    expect([answer.status, await answer.json()]).toMatchObject([200, { model: 'model-a' }]);
    expect(llm.calls[0]?.url).toBe('/v1/chat/completions');
  });

  it('makes res.locals, with its variables in it', async () => {
    const llm = await startUpstream(echoModel());
    const { url, finished } = await serveBare(makeGateway({ instances: [instance('a', llm.url)] }));
    await (await post(url)).text();
    expect(finished[0]).toHaveProperty('locals.llm_instance', 'a');
    expect(finished.map((res) => llmVariables(res))).toMatchObject([{ llm_total_tokens: 31 }]);
  });

  it('writes the events of a stream as they arrive', async () => {
    let finish = (): void => {};
    const llm = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('one'));
      finish = () => res.end(doneEvent);
    });
    const { url } = await serveBare(makeGateway({ instances: [instance('a', llm.url)] }));
    const stream = readAsItComes(await post(url, { messages: [], stream: true }));
    await stream.until('one');
    finish();
    expect(await stream.rest()).toBe(doneEvent);
  });

  it('moves on to the next instance after a 429', async () => {
    const limited = await startUpstream((_call, res) => answerJson(res, 429, {}));
    const working = await startUpstream(echoModel());
    const gateway = makeGateway({
      fallback_strategy: ['http_429'],
      instances: [instance('limited', limited.url, { priority: 1 }), instance('working', working.url)],
    });
    const { url } = await serveBare(gateway);
    expect(await (await post(url)).json()).toMatchObject({ model: 'model-working' });
  });

  it('answers what it cannot use itself, since there is nobody else to do it', async () => {
    const llm = await startUpstream(echoModel());
    const { url } = await serveBare(makeGateway({ instances: [instance('a', llm.url)] }));
    const answer = await post(`${url}/anything`, '{"messages":');
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'invalid_json' } }]);
  });

  it('answers the client itself in the early form with passthrough, since there is nobody to pass it to', async () => {
    const llm = await startUpstream(echoModel());
    const gateway = makeGateway({
      passthrough: true,
      providers: [{ name: 'openai', model: 'gpt-4', auth: {}, override: { endpoint: llm.url } }],
    });
    const { url } = await serveBare(gateway);
    const answer = await post(url);
    expect([answer.status, await answer.json()]).toMatchObject([200, { model: 'gpt-4' }]);
  });
});
