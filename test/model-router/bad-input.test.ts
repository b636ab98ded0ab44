/** Whatever a caller sends, the router says no in its own words, sends no header of the caller's making, and goes on. */
import { describe, expect, it } from 'vitest';
import { parseObject } from '../../lib/protocols/json.ts';
import { post } from '../support/app.ts';
import { readAnswer, sendRaw } from '../support/gateway.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import {
  aliasOf,
  bearer,
  callerFor,
  chat,
  errorIn,
  keyFor,
  modelFor,
  type RouterOptions,
  startRouter,
} from './started-router.ts';

const EVIL = 'a\r\nX-Evil: 1\u2028\u001b[2K';

async function start(options: RouterOptions = {}, names: readonly string[] = ['one', 'two']) {
  const llm = await startUpstream(echoModel());
  const started = await startRouter(
    {
      provider_keys: [keyFor('pk', llm.url)],
      models: [
        ...names.map((name) => modelFor(name, { provider_key_id: 'pk-pk' })),
        aliasOf('chat', [names[0] ?? '']),
      ],
      api_keys: [callerFor('jane'), callerFor('joe', { allowed_models: ['chat'] })],
    },
    options,
  );
  return { llm, started };
}

const json = (text: string): Buffer => Buffer.from(text);
const messages = '"messages":[{"role":"user","content":"Hi"}]';
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('a body that cannot be served', () => {
  it.each<[what: string, body: Buffer, status: number, code: string]>([
    ['is nested too deep', json(`{"model":"chat","messages":${nested(2000)}}`), 400, 'body_too_deep'],
    [
      'has a __proto__',
      json(`{"model":"chat",${messages},"__proto__":{"admin":true}}`),
      400,
      'forbidden_key',
    ],
    [
      'hides its __proto__',
      json(`{"model":"chat",${messages},"x":{"__pr\\u006fto__":1}}`),
      400,
      'forbidden_key',
    ],
    [
      'is not UTF-8',
      Buffer.concat([json(`{${messages},"model":"`), Buffer.from([0xff, 0xc0]), json('"}')]),
      400,
      'invalid_utf8',
    ],
    ['is cut off', json(`{"model":"chat",${messages}`), 400, 'invalid_json'],
    ['is no object', json('["chat"]'), 400, 'body_not_an_object'],
    ['is empty', json(''), 400, 'empty_body'],
    ['names no model', json(`{${messages}}`), 400, 'invalid_request_error'],
    ['names an empty model', json(`{"model":"",${messages}}`), 400, 'invalid_request_error'],
    ['names a list of models', json(`{"model":["chat"],${messages}}`), 400, 'invalid_request_error'],
    [
      'names a model of a megabyte',
      json(`{"model":"${'x'.repeat(1e6)}",${messages}}`),
      400,
      'invalid_request_error',
    ],
    ['has messages that are no list', json('{"model":"chat","messages":"Hi"}'), 400, 'invalid_request_error'],
    [
      'asks for a member of every object',
      json(`{"model":"constructor",${messages}}`),
      404,
      'model_not_found',
    ],
    ['asks for the prototype', json(`{"model":"__proto__",${messages}}`), 404, 'model_not_found'],
  ])(
    'because it %s is refused in the shape of an error, and nothing is sent',
    async (_what, body, status, code) => {
      const { llm, started } = await start();
      const client = await connectRaw(started.port);
      const head = rawPost('/v1/chat/completions', '', ['Authorization: Bearer jane', 'Connection: close']);
      client.write(head.replace('Content-Length: 0', `Content-Length: ${body.length}`));
      client.write(body);
      const answer = readAnswer(await client.closed());
      expect([answer.status, answer.code]).toEqual([status, code]);
      expect(answer.body.length).toBeLessThan(500);
      expect(llm.connections).toBe(0);
      expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false);
      expect((await chat(started, 'chat', {}, bearer('jane'))).status).toBe(200);
    },
  );
});

describe('the name of a model that there is none of', () => {
  it.each([
    ['is long', 'x'.repeat(60_000)],
    ['would break lines', EVIL.repeat(100)],
    ['ends in half a character', `${'x'.repeat(199)}\u{1f600}`],
  ])('is quoted in one short line although it %s', async (_what, name) => {
    const { started } = await start();
    const response = await chat(started, name, {}, bearer('jane'));
    const error = parseObject(JSON.stringify(await errorIn(response)));
    expect([response.status, error?.code]).toEqual([404, 'model_not_found']);
    expect(String(error?.message).length).toBeLessThan(400);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(error?.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(response.headers.has('x-evil')).toBe(false);
  });

  it('is quoted in the same way to a caller who may not use it', async () => {
    const name = 'y'.repeat(3000);
    const { started } = await start({}, [name, 'two']);
    const response = await chat(started, name, {}, bearer('joe'));
    const error = parseObject(JSON.stringify(await errorIn(response)));
    expect([response.status, error?.code]).toEqual([403, 'permission_denied']);
    expect(String(error?.message).length).toBeLessThan(400);
  });

  it.each(['%0d%0aX-Evil:%201', '__proto__', 'no-such'])(
    'is not found as /v1/models/%s either',
    async (name) => {
      const { started } = await start();
      const answer = await sendRaw(started.port, `GET /v1/models/${name}`, ['Authorization: Bearer jane']);
      expect([answer.status, answer.code]).toEqual([404, 'model_not_found']);
      expect(answer.headers.join()).not.toContain('X-Evil');
    },
  );

  it('with a broken escape is nobody’s', async () => {
    const { started } = await start();
    const answer = await sendRaw(started.port, 'GET /v1/models/%zz', ['Authorization: Bearer jane']);
    expect([answer.status, answer.code]).toEqual([404, 'not_found']);
  });
});

describe('a model that is named twice', () => {
  it.each([
    ['"model":"chat","model":"two"'],
    ['"model":"two","model":"chat"'],
    ['"model":"chat","mod\\u0065l":"two"'],
    ['"mod\\u0065l":"two","model":"chat"'],
  ])('as %s is never sent as anything but the one that was looked up', async (names) => {
    const { llm, started } = await start();
    const response = await post(`${started.url}/v1/chat/completions`, `{${names},${messages}}`, {
      headers: bearer('joe'),
    });
    await response.text();
    const sent = llm.calls.flatMap(({ body }) => [...body.matchAll(/"mod(?:e|\\u0065)l":"([^"]*)"/g)]);
    // Either refused for the other name, or sent with the one that the caller may use, whichever an upstream reads.
    expect(new Set(sent.map(([, name]) => name))).toEqual(
      new Set(response.status === 200 ? ['upstream-one'] : []),
    );
  });
});

describe('a name of a target that no header can hold', () => {
  it.each([EVIL, 'modèle', '模型', 'a\tb'])(
    'is left out of the headers, and the log says so: %j',
    async (name) => {
      const { started } = await start({}, [name, 'two']);
      const client = await connectRaw(started.port);
      const headers = ['Authorization: Bearer jane', 'Connection: close'];
      client.write(rawPost('/v1/chat/completions', `{"model":"chat",${messages}}`, headers));
      const answer = readAnswer(await client.closed());
      expect(answer.status).toBe(200);
      expect(answer.headers.join().toLowerCase()).not.toMatch(/evil|served-by/);
      expect(started.logs.map(({ message }) => message)).toContainEqual(
        expect.stringContaining('cannot be sent'),
      );
    },
  );
});

describe("a caller's id for a request", () => {
  const host = { requestIdHeader: 'x-request-id' };

  it.each([
    ['as it is', 'a'.repeat(256), true],
    ['not where it is longer than any', 'a'.repeat(257), false],
    ['not with a space in it', 'a b', false],
    ['not beyond ASCII', 'caf\xe9', false],
  ])('is taken over %s', async (_how, id, isTaken) => {
    const { started } = await start({ host });
    const headers = ['Authorization: Bearer jane', `X-Request-Id: ${id}`];
    const answer = await sendRaw(started.port, 'GET /v1/models', headers);
    const sent = answer.headers.find((line) => /^x-request-id:/i.test(line))?.slice('x-request-id: '.length);
    expect(sent === id).toBe(isTaken);
    expect(sent).toMatch(isTaken ? /^a+$/ : /^[0-9a-f-]{36}$/);
  });
});

describe('a key that cannot be one', () => {
  it.each(['Bearer \xff\xfe', `Bearer ${'x'.repeat(10_000)}`, 'Bearer', 'Basic amFuZTo=', 'Bearer jane joe'])(
    'is refused: %j',
    async (authorization) => {
      const { llm, started } = await start();
      const client = await connectRaw(started.port);
      const request = rawPost('/v1/chat/completions', `{"model":"chat",${messages}}`, [
        `Authorization: ${authorization}`,
        'Connection: close',
      ]);
      client.write(Buffer.from(request, 'latin1'));
      const answer = readAnswer(await client.closed());
      expect([answer.status, answer.code]).toEqual([401, 'invalid_api_key']);
      expect(llm.connections).toBe(0);
    },
  );
});
