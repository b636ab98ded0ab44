import { describe, expect, it } from 'vitest';
import { instance, post } from '../support/app.ts';
import { echoModel, startUpstream, type Upstream } from '../support/upstream.ts';
import { expresses, makeGateway, type Served, type Surroundings, serveIn } from './frameworks.ts';

const BODY = '{ "messages" : [ {"role":"user","content":"Grüße, 你好 😀"} ] , "temperature" : 1.0 }';

/** The body that reached the LLM through a gateway that changes nothing in it. */
function lastBody(llm: Upstream): string | undefined {
  return llm.calls.at(-1)?.body;
}

describe.each(expresses)('the body parsers of $name', ({ express, makeStack }) => {
  function start(llm: Upstream, surroundings: Surroundings): Promise<Served> {
    const gateway = makeGateway({ instances: [instance('a', llm.url, { options: {} })] });
    return serveIn({ makeStack }, gateway, surroundings);
  }

  it.each([
    ['express.json()', express.json()],
    ['express.text()', express.text({ type: '*/*' })],
    ['express.raw()', express.raw({ type: '*/*' })],
  ])('may stand before the gateway: %s', async (_name, parser) => {
    const llm = await startUpstream(echoModel());
    const { url, errors } = await start(llm, { before: [parser] });
    const answer = await post(`${url}/ai`, BODY);
    expect(answer.status).toBe(200);
    expect(JSON.parse(lastBody(llm) ?? '')).toEqual(JSON.parse(BODY));
    expect(errors).toEqual([]);
  });

  it('cost nothing of the original bytes where rawBody is kept', async () => {
    const llm = await startUpstream(echoModel());
    const parser = express.json({ verify: (req, _res, rawBody) => Object.assign(req, { rawBody }) });
    const { url } = await start(llm, { before: [parser] });
    await post(`${url}/ai`, BODY);
    expect(lastBody(llm)).toBe(BODY);
  });

  it('may stand behind the gateway, which leaves them nothing to do', async () => {
    const llm = await startUpstream(echoModel());
    const { url } = await start(llm, { after: [express.json()] });
    expect((await post(`${url}/ai`, BODY)).status).toBe(200);
    expect(lastBody(llm)).toBe(BODY);
  });

  it('may stand behind the gateway and still parse what goes elsewhere', async () => {
    const llm = await startUpstream(echoModel());
    const bodies: unknown[] = [];
    const { url } = await start(llm, {
      after: [
        express.json(),
        (req, res) => {
          bodies.push(Reflect.get(req, 'body'));
          res.end();
        },
      ],
    });
    await post(`${url}/orders`, { id: 7 });
    expect(bodies).toEqual([{ id: 7 }]);
  });

  it('that do not touch the socket leave no empty body behind', async () => {
    const llm = await startUpstream(echoModel());
    const { url } = await start(llm, {
      before: [express.urlencoded({ extended: true }), express.json({ type: 'application/vnd.api+json' })],
    });
    expect((await post(`${url}/ai`, BODY)).status).toBe(200);
    expect(lastBody(llm)).toBe(BODY);
  });

  it('refuse what they cannot parse, and the gateway never sees it', async () => {
    const llm = await startUpstream(echoModel());
    const { url, errors } = await start(llm, { before: [express.json()] });
    expect((await post(`${url}/ai`, '{"messages":')).status).toBe(599);
    expect(errors).toHaveLength(1);
    expect(llm.calls).toEqual([]);
  });

  it.each([
    ['a list', '[{"messages":[]}]', 'body_not_an_object'],
    ['nothing at all', '', 'empty_body'],
  ])('leave it to the gateway to refuse %s', async (_what, body, code) => {
    const llm = await startUpstream(echoModel());
    const { url, errors } = await start(llm, { before: [express.json()] });
    const answer = await post(`${url}/ai`, body);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code } }]);
    expect(errors).toEqual([]);
  });

  it('may parse a stream request, too', async () => {
    const llm = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end('data: [DONE]\n\n');
    });
    const { url } = await start(llm, { before: [express.json()] });
    const answer = await post(`${url}/ai`, { messages: [], stream: true });
    expect(await answer.text()).toBe('data: [DONE]\n\n');
    expect(JSON.parse(lastBody(llm) ?? '')).toMatchObject({ stream_options: { include_usage: true } });
  });
});
