import { registerMorganTokens } from 'ai-proxy-multi';
import compression from 'compression';
import helmet from 'helmet';
import morgan from 'morgan';
import { describe, expect, it } from 'vitest';
import { instance, post } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import {
  answerJson,
  chatAnswer,
  chatEvent,
  doneEvent,
  echoModel,
  type Script,
  startUpstream,
  usageEvent,
} from '../support/upstream.ts';
import { expresses, type Handler, makeGateway, type Served, serveIn } from './frameworks.ts';
import { readAsItComes } from './read-as-it-comes.ts';

const LONG = 'All work and no play makes Jack a dull boy. '.repeat(200);

function morganInto(lines: string[], format: string): Handler {
  registerMorganTokens(morgan);
  return morgan(format, { stream: { write: (line) => lines.push(line.trim()) } });
}

describe.each(expresses)('in $name', (framework) => {
  async function startBehind(before: readonly Handler[], script: Script): Promise<Served> {
    const llm = await startUpstream(script);
    return serveIn(framework, makeGateway({ instances: [instance('a', llm.url)] }), { before });
  }

  describe('behind helmet', () => {
    it("keeps the headers that helmet set, beside the LLM's own", async () => {
      const { url } = await startBehind([helmet()], (_call, res) =>
        answerJson(res, 200, chatAnswer('m'), { 'x-request-id': 'req_1' }),
      );
      const { headers } = await post(`${url}/ai`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-request-id')).toBe('req_1');
    });

    it('keeps them on answers of its own', async () => {
      const { url } = await startBehind([helmet()], echoModel());
      const answer = await post(`${url}/ai`, '[]');
      expect([answer.status, answer.headers.get('x-content-type-options')]).toEqual([400, 'nosniff']);
    });
  });

  describe('behind morgan', () => {
    const format =
      ':status :llm_instance :llm_model :llm_total_tokens :llm_outcome :llm_stream :llm_end_user_id';

    it('logs a plain answer', async () => {
      const lines: string[] = [];
      const { url } = await startBehind([morganInto(lines, format)], echoModel());
      await (await post(`${url}/ai`)).text();
      expect(lines).toEqual(['200 a model-a 31 complete false -']);
    });

    it('logs a stream with the usage that it withheld from the client', async () => {
      const lines: string[] = [];
      const { url } = await startBehind([morganInto(lines, format)], (_call, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.end(chatEvent('Hi') + usageEvent + doneEvent);
      });
      const body = { messages: [], stream: true, user: 'jane' };
      expect(await (await post(`${url}/ai`, body)).text()).toBe(chatEvent('Hi') + doneEvent);
      expect(lines).toEqual(['200 a model-a 31 complete true jane']);
    });

    it('logs an answer of its own', async () => {
      const lines: string[] = [];
      const { url } = await startBehind([morganInto(lines, format)], echoModel());
      await (await post(`${url}/ai`, '[]')).text();
      expect(lines).toEqual(['400 - - 0 rejected false -']);
    });

    it('logs what the gateway did not answer, without values', async () => {
      const lines: string[] = [];
      const { url } = await startBehind([morganInto(lines, format)], echoModel());
      await (await fetch(`${url}/orders`)).text();
      expect(lines).toEqual(['404 - - 0 - false -']);
    });
  });

  describe('behind compression', () => {
    it('lets a plain answer be compressed', async () => {
      const { url } = await startBehind([compression()], (_call, res) =>
        answerJson(res, 200, chatAnswer('m', LONG)),
      );
      const answer = await post(`${url}/ai`, undefined, { headers: { 'accept-encoding': 'gzip' } });
      expect(answer.headers.get('content-encoding')).toBe('gzip');
      expect(await answer.json()).toEqual(chatAnswer('m', LONG));
    });

    it.each([
      ['left alone', {}, null],
      ['compressed, where the LLM allows that', { 'cache-control': 'no-cache' }, 'gzip'],
    ])('sends each event of a stream at once: %s', async (_how, headers, encoding) => {
      let finish = (): void => {};
      const { url } = await startBehind([compression({ threshold: 0 })], (_call, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
        res.write(chatEvent('one'));
        finish = () => res.end(chatEvent('two') + doneEvent);
      });
      const init = { headers: { 'accept-encoding': 'gzip' } };
      const answer = await post(`${url}/ai`, { messages: [], stream: true }, init);
      expect(answer.headers.get('content-encoding')).toBe(encoding);
      const stream = readAsItComes(answer);
      expect(await stream.until('one')).toBe(chatEvent('one'));
      finish();
      expect(await stream.rest()).toBe(chatEvent('two') + doneEvent);
    });

    it('keeps a cut stream from looking complete', async () => {
      let cut = (): void => {};
      const { port } = await startBehind([compression({ threshold: 0 })], (_call, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
        res.write(chatEvent('one'));
        cut = () => res.destroy();
      });
      const client = await connectRaw(port);
      client.write(rawPost('/ai', '{"messages":[],"stream":true}', ['Accept-Encoding: gzip']));
      await client.until('Content-Encoding: gzip');
      cut();
      expect(await client.closed()).not.toMatch(/\r\n0\r\n\r\n$/);
    });

    it('says in a stream left alone that it was cut', async () => {
      const { port } = await startBehind([compression()], (_call, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(chatEvent('one'), () => res.destroy());
      });
      const client = await connectRaw(port);
      client.write(rawPost('/ai', '{"messages":[],"stream":true}', ['Accept-Encoding: gzip']));
      expect(await client.closed()).toContain('upstream_stream_cut');
    });

    it('still reads the usage of what goes out compressed', async () => {
      const lines: string[] = [];
      const before = [morganInto(lines, ':llm_total_tokens'), compression({ threshold: 0 })];
      const { url } = await startBehind(before, echoModel());
      await (await post(`${url}/ai`, undefined, { headers: { 'accept-encoding': 'gzip' } })).text();
      expect(lines).toEqual(['31']);
    });
  });

  it('works behind all of them together', async () => {
    const lines: string[] = [];
    const before = [
      helmet(),
      morganInto(lines, ':status'),
      compression({ threshold: 0 }),
      framework.express.json(),
    ];
    const { url } = await startBehind(before, echoModel());
    const init = { headers: { 'accept-encoding': 'gzip' } };
    expect(await (await post(`${url}/ai`, undefined, init)).json()).toEqual(chatAnswer('model-a'));
    expect(lines).toEqual(['200']);
  });
});
