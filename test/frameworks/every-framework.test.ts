import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { llmVariables } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { instance, post } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { answerJson, chatEvent, doneEvent, echoModel, startUpstream } from '../support/upstream.ts';
import { frameworks, makeGateway, serveIn } from './frameworks.ts';
import { readAsItComes } from './read-as-it-comes.ts';

describe.each(frameworks)('a gateway mounted on a path of $name', (framework) => {
  it('answers a chat request, with the credentials and the model of its instance', async () => {
    const llm = await startUpstream(echoModel());
    const { url } = await serveIn(framework, makeGateway({ instances: [instance('a', llm.url)] }));
    const answer = await post(`${url}/ai/v1/chat/completions`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ model: 'model-a', choices: [{ index: 0 }] });
    expect(llm.calls[0]).toMatchObject({ method: 'POST', url: '/v1/chat/completions' });
    expect(llm.calls[0]?.headers.authorization).toBe('Bearer key-a');
  });

  it('writes the events of a stream as they arrive', async () => {
    let finish = (): void => {};
    const llm = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('one'));
      finish = () => res.end(chatEvent('two') + doneEvent);
    });
    const { url } = await serveIn(framework, makeGateway({ instances: [instance('a', llm.url)] }));
    const stream = readAsItComes(await post(`${url}/ai`, { messages: [], stream: true }));
    expect(await stream.until('one')).toBe(chatEvent('one'));
    finish();
    expect(await stream.rest()).toBe(chatEvent('two') + doneEvent);
  });

  it('moves on to the next instance after a 503', async () => {
    const failing = await startUpstream((_call, res) => answerJson(res, 503, { error: 'failing' }));
    const working = await startUpstream(echoModel());
    const gateway = makeGateway({
      fallback_strategy: ['http_5xx'],
      instances: [
        instance('failing', failing.url, { priority: 1 }),
        instance('working', working.url, { priority: 0 }),
      ],
    });
    const { url } = await serveIn(framework, gateway);
    const answer = await post(`${url}/ai`);
    expect(await answer.json()).toMatchObject({ model: 'model-working' });
    expect(failing.calls).toHaveLength(1);
  });

  it("passes an LLM's error on as it is and keeps the error middleware out of it", async () => {
    const refusal = { error: { message: 'No such model', type: 'invalid_request_error', code: null } };
    const llm = await startUpstream((_call, res) => answerJson(res, 404, refusal));
    const { url, errors, passedOn } = await serveIn(
      framework,
      makeGateway({ instances: [instance('a', llm.url)] }),
    );
    const answer = await post(`${url}/ai`);
    expect([answer.status, await answer.json()]).toEqual([404, refusal]);
    expect([errors, passedOn]).toEqual([[], []]);
  });

  it.each([
    ['a malformed body', '{"messages":', 400, 'invalid_json'],
    ['a body that is no object', '[]', 400, 'body_not_an_object'],
    ['an LLM that is not there', '{"messages":[]}', 502, 'upstream_unreachable'],
  ])('answers %s itself, without the error middleware', async (_what, body, status, code) => {
    const llm = await startUpstream(echoModel());
    await llm.close();
    const { url, errors, passedOn } = await serveIn(
      framework,
      makeGateway({ instances: [instance('a', llm.url)] }),
    );
    const answer = await post(`${url}/ai`, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
    expect([errors, passedOn]).toEqual([[], []]);
  });

  it('has set its variables when the response ends, beside those that were there', async () => {
    const llm = await startUpstream(echoModel());
    const seen: { locals: unknown; variables: Record<string, unknown> }[] = [];
    const { url } = await serveIn(framework, makeGateway({ instances: [instance('a', llm.url)] }), {
      before: [
        (_req, res, next) => {
          Object.assign(res, { locals: { consumer: 'jane' } });
          res.on('finish', () =>
            seen.push({ locals: Reflect.get(res, 'locals'), variables: llmVariables(res) }),
          );
          next();
        },
      ],
    });
    await (await post(`${url}/ai`)).text();
    expect(seen).toMatchObject([
      {
        locals: { consumer: 'jane', llm_instance: 'a' },
        variables: { llm_instance: 'a', llm_total_tokens: 31, llm_outcome: 'complete' },
      },
    ]);
  });

  it('passes other methods through, by their path below the mount point', async () => {
    const llm = await startUpstream((_call, res) => answerJson(res, 200, { data: [] }));
    const { url } = await serveIn(framework, makeGateway({ instances: [instance('a', llm.url)] }));
    expect((await fetch(`${url}/ai/v1/models?limit=2`)).status).toBe(200);
    expect((await fetch(`${url}/ai/v1/files/7`, { method: 'DELETE' })).status).toBe(200);
    expect(llm.calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1/models?limit=2',
      'DELETE /v1/files/7',
    ]);
  });

  it('lets go of the LLM when the client hangs up in the middle of a stream', async () => {
    let answering: ServerResponse | undefined;
    const llm = await startUpstream((_call, res) => {
      answering = res;
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('one'));
    });
    const { port } = await serveIn(framework, makeGateway({ instances: [instance('a', llm.url)] }));
    const client = await connectRaw(port);
    client.write(rawPost('/ai', '{"messages":[],"stream":true}'));
    await client.until('one');
    const closed = answering === undefined ? undefined : once(answering, 'close');
    client.socket.destroy();
    await closed;
    expect(answering?.writableFinished).toBe(false);
  });

  it('leaves requests outside of its path to the application', async () => {
    const llm = await startUpstream(echoModel());
    const { url } = await serveIn(framework, makeGateway({ instances: [instance('a', llm.url)] }), {
      after: [(_req, res) => res.end('orders')],
    });
    expect(await (await fetch(`${url}/orders`)).text()).toBe('orders');
    expect(llm.calls).toEqual([]);
  });
});
