/**
 * Whoever can put a line break into a header can add headers, answers, even requests of his own; whoever can put
 * one into a log line can write the lines below it and make the log say what he likes.
 */
import { aiProxyMulti, registerMorganTokens } from 'ai-proxy-multi';
import morgan from 'morgan';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { instance, post, serve, startApp } from '../support/app.ts';
import { readAnswer, sendRaw, startGateway } from '../support/gateway.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';

const BREAKS = ['\r\n', '\n', '\r'];
const chat = '{"messages":[]}';

/** Every line break a log reader may go by, and what could rewrite a terminal. */
const forged = (text: string): string =>
  ['\r\n', '\n', '\r', '\u000b', '\u000c', '\u0085', '\u2028', '\u2029', '\u001b[2K', '\u0000']
    .map((separator) => `${text}${separator}X-Evil: 1`)
    .join('');

function headerNames(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
}

describe('a header of the client', () => {
  it.each([
    ...BREAKS.map((separator): [string, string] => [JSON.stringify(separator), `a${separator} X-Evil: 1`]),
    ['a bare line feed', 'a\nX-Evil: 1'],
    ['a bare carriage return', 'a\rX-Evil: 1'],
    ['NUL', 'a\0b'],
    ['DEL', 'a\x7fb'],
    ['a control character', 'a\x01b'],
  ])('with %s in its value is refused before it gets anywhere', async (_what, value) => {
    const { app, upstream } = await startGateway();
    const headers = [`X-Note: ${value}`, `Content-Length: ${chat.length}`];
    expect((await sendRaw(app.port, 'POST /', headers, chat)).status).toBe(400);
    expect(upstream.connections).toBe(0);
    expect((await post(app.url)).status).toBe(200);
  });

  it.each([
    ['bytes beyond ASCII', 'caf\xe9 \xff'],
    ['escaped line breaks', 'a%0d%0aX-Evil: 1\\r\\nX-Evil: 2'],
    ['tabs', 'a\tb'],
  ])('with %s stays one header', async (_what, value) => {
    const { app, upstream } = await startGateway();
    const headers = [`X-Note: ${value}`, `Content-Length: ${chat.length}`];
    expect((await sendRaw(app.port, 'POST /', headers, chat)).status).toBe(200);
    expect(upstream.calls[0]?.headers['x-note']).toBe(value);
    expect(headerNames(upstream.calls[0]?.rawHeaders ?? [])).not.toContain('x-evil');
  });

  it('named like a member of every object is a header like any other', async () => {
    const { app, upstream } = await startGateway();
    const headers = ['__proto__: a', 'constructor: b', 'hasOwnProperty: c', `Content-Length: ${chat.length}`];
    expect((await sendRaw(app.port, 'POST /', headers, chat)).status).toBe(200);
    expect(upstream.calls[0]?.headers).toMatchObject({ constructor: 'b', hasownproperty: 'c' });
    expect(Object.hasOwn(Object.prototype, 'a')).toBe(false);
  });
});

describe('a line break in the body', () => {
  it.each(['model', 'user', 'safety_identifier', 'x\r\nX-Evil: 1'])(
    'as part of %j makes no header, on either side',
    async (member) => {
      const upstream = await startUpstream(echoModel());
      const app = await startApp(
        { instances: [instance('one', upstream.url, { options: {} })] },
        { host: { servedByHeader: 'x-served-by' } },
      );
      const client = await connectRaw(app.port);
      client.write(
        rawPost('/', JSON.stringify({ messages: [], [member]: forged('m') }), ['Connection: close']),
      );
      const { status, headers } = readAnswer(await client.closed());
      expect(status).toBe(200);
      const names = headers.map((line) => line.split(':')[0]?.toLowerCase());
      expect(new Set(names)).toEqual(
        new Set(['x-powered-by', 'content-type', 'date', 'content-length', 'connection', 'x-served-by']),
      );
      expect(headerNames(upstream.calls[0]?.rawHeaders ?? [])).not.toContain('x-evil');
    },
  );
});

describe('the access log', () => {
  /** The lines that morgan writes for one request, with every variable in them. */
  async function logged(body: unknown): Promise<string> {
    const upstream = await startUpstream(echoModel());
    registerMorganTokens(morgan);
    const written: string[] = [];
    let resolve: () => void = () => {};
    const promise = new Promise<void>((settle) => {
      resolve = settle;
    });
    const format =
      ':method :request_llm_model|:llm_model|:llm_end_user_id|:llm_summary|:llm_request|:llm_response_text';
    const app = await startApp(
      {
        instances: [instance('one', upstream.url, { options: {} })],
        logging: { summaries: true, payloads: true },
      },
      {
        before: (app) =>
          app.use(
            morgan(format, {
              stream: {
                write(line) {
                  written.push(line);
                  resolve();
                },
              },
            }),
          ),
      },
    );
    await (await post(app.url, body)).text();
    await promise;
    return written.join('');
  }

  it('is one line per request, whatever the model and the user are called', async () => {
    const log = await logged({
      model: forged('gpt'),
      user: forged('jane'),
      messages: [{ content: forged('hi') }],
    });
    expect(log).toMatch(/^POST gpt.*\n$/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(log.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(log).toContain('X-Evil: 1');
  });
});

async function serveWithDefaultLogger(endpoints: readonly string[]): Promise<string> {
  const middleware = aiProxyMulti({
    instances: endpoints.map((endpoint, index) =>
      instance(`i${index}`, endpoint, { priority: -index, options: {} }),
    ),
    fallback_strategy: ['http_5xx'],
  });
  return (await serve(middleware)).url;
}

describe('the default logger', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('writes one line per warning, whatever the client makes an upstream say', async () => {
    const lines: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    const [failing, working] = [
      await startUpstream((call, res) => answerJson(res, 500, { error: { message: call.body } })),
      await startUpstream(echoModel()),
    ];
    const url = await serveWithDefaultLogger([failing.url, working.url]);
    expect((await post(url, { messages: [], model: forged('m') })).status).toBe(200);
    const ours = lines.filter((line) => line.includes('"instance"'));
    expect(ours).toHaveLength(1);
    expect(ours[0]).toMatch(/^\{"level":"warn".*\}\n$/);
  });
});
