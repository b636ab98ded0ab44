import { describe, expect, it } from 'vitest';
import type { AppOptions, InstanceConfig } from '../support/app.ts';
import { instance, post, startApp } from '../support/app.ts';
import { rawAnswer, startRawUpstream } from '../support/broken-upstreams.ts';
import { connectRaw } from '../support/raw.ts';
import { type Call, echoModel, startUpstream } from '../support/upstream.ts';

const CREDENTIALS = [
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
  'api-key',
  'apikey',
  'x-goog-api-key',
  'xi-api-key',
  'ocp-apim-subscription-key',
];

const HOP_BY_HOP = [
  'keep-alive: timeout=5',
  'proxy-connection: keep-alive',
  'te: trailers',
  'trailer: x-checksum',
  'upgrade: websocket',
  'proxy-authenticate: Basic',
];

/** What the upstream gets of a request with these header lines. */
async function sendWith(
  lines: readonly string[],
  more: Partial<InstanceConfig> = {},
  options: AppOptions = {},
): Promise<Call> {
  const upstream = await startUpstream(echoModel());
  const app = await startApp({ instances: [instance('a', upstream.url, more)] }, options);
  const client = await connectRaw(app.port);
  const body = '{"messages":[]}';
  const head = ['POST /v1/chat/completions HTTP/1.1', 'Host: gateway.test', ...lines];
  client.write(`${[...head, `Content-Length: ${body.length}`, '', body].join('\r\n')}`);
  await client.until('chat.completion');
  const [call] = upstream.calls;
  if (call === undefined) throw new Error('The upstream was not called');
  return call;
}

const times = (call: Call, name: string): number =>
  call.rawHeaders.filter((entry, index) => index % 2 === 0 && entry.toLowerCase() === name).length;

describe("the client's headers", () => {
  it('reach the upstream', async () => {
    const { headers } = await sendWith([
      'X-Trace: 1',
      'User-Agent: mine/1.0',
      'OpenAI-Beta: x',
      'Accept: */*',
    ]);
    expect(headers).toMatchObject({
      'x-trace': '1',
      'user-agent': 'mine/1.0',
      'openai-beta': 'x',
      accept: '*/*',
    });
  });

  it.each(HOP_BY_HOP)('that belong to one connection do not: %s', async (line) => {
    const { headers } = await sendWith([line, 'Connection: keep-alive']);
    expect(headers).not.toHaveProperty(line.slice(0, line.indexOf(':')));
  });

  it('that Connection names do not, however it is written', async () => {
    const { headers } = await sendWith([
      'Connection: close , X-Hop,x-ALSO',
      'X-Hop: 1',
      'X-Also: 2',
      'X-Stays: 3',
    ]);
    expect(headers).not.toHaveProperty('x-hop');
    expect(headers).not.toHaveProperty('x-also');
    expect(headers['x-stays']).toBe('3');
  });

  it('cannot take away what the gateway itself sends by naming it in Connection', async () => {
    const call = await sendWith(['Connection: host, content-length, content-type, authorization']);
    expect(call.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(call.body.length),
      authorization: 'Bearer key-a',
    });
    expect(call.headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('do not decide how the answer is encoded', async () => {
    expect((await sendWith(['Accept-Encoding: gzip, br'])).headers).not.toHaveProperty('accept-encoding');
  });

  it('do not say which host is asked', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    await post(app.url);
    expect(upstream.calls[0]?.headers.host).toBe(`127.0.0.1:${upstream.port}`);
  });

  it('do not make the upstream wait for permission to read the body', async () => {
    const call = await sendWith(['Expect: 100-continue']);
    expect(call.headers).not.toHaveProperty('expect');
  });

  it.each([
    ['none', []],
    ['application/json; charset=utf-8', ['Content-Type: application/json; charset=utf-8']],
    ['APPLICATION/JSON', ['Content-Type: APPLICATION/JSON']],
  ])('leave application/json as the content type where the client says %s', async (_name, lines) => {
    const call = await sendWith(lines);
    expect(call.headers['content-type']).toBe('application/json');
    expect(times(call, 'content-type')).toBe(1);
  });
});

describe("the caller's credentials", () => {
  it.each(CREDENTIALS)('stay with the host app: %s', async (name) => {
    const { headers } = await sendWith([`${name}: callers-own`], { auth: {} });
    expect(headers).not.toHaveProperty(name);
    expect(JSON.stringify(headers)).not.toContain('callers-own');
  });

  it('stay with the host app under every name that any auth.header uses', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({
      instances: [
        instance('a', upstream.url, { priority: 1, auth: {} }),
        instance('b', upstream.url, { auth: { header: { 'X-Tenant-Token': 'of b' } } }),
      ],
    });
    await post(app.url, undefined, { headers: { 'x-tenant-token': 'callers-own' } });
    expect(upstream.calls[0]?.headers).not.toHaveProperty('x-tenant-token');
  });

  it.each(CREDENTIALS.filter((name) => name !== 'proxy-authorization'))(
    'are passed on with forwardHeaders: true: %s',
    async (name) => {
      const { headers } = await sendWith([`${name}: own`], { auth: {} }, { host: { forwardHeaders: true } });
      expect(headers[name]).toBe('own');
    },
  );

  it('are passed on by name, and no other, with forwardHeaders: [names]', async () => {
    const { headers } = await sendWith(
      ['Authorization: Bearer own', 'Cookie: session=1', 'X-API-Key: own'],
      { auth: {} },
      { host: { forwardHeaders: ['Authorization', 'x-api-key'] } },
    );
    expect(headers).toMatchObject({ authorization: 'Bearer own', 'x-api-key': 'own' });
    expect(headers).not.toHaveProperty('cookie');
  });

  it.each([[true], [['authorization']]])(
    "give way to the instance's own with forwardHeaders: %j",
    async (forwardHeaders) => {
      const call = await sendWith(['Authorization: Bearer own'], {}, { host: { forwardHeaders } });
      expect(call.headers.authorization).toBe('Bearer key-a');
      expect(times(call, 'authorization')).toBe(1);
    },
  );

  it('cannot be used to forward what belongs to one connection', async () => {
    const { headers } = await sendWith(
      ['Connection: x-api-key', 'X-API-Key: own', 'TE: trailers'],
      { auth: {} },
      { host: { forwardHeaders: ['te', 'x-api-key', 'accept-encoding', 'host'] } },
    );
    expect(headers).not.toHaveProperty('te');
    expect(headers).not.toHaveProperty('x-api-key');
    expect(headers.host).not.toBe('gateway.test');
  });
});

describe('auth.header', () => {
  it('is injected, several of them, as they are written', async () => {
    const { headers } = await sendWith([], {
      auth: { header: { Authorization: 'Bearer one', 'X-Org': 'two words', 'api-key': 'three' } },
    });
    expect(headers).toMatchObject({ authorization: 'Bearer one', 'x-org': 'two words', 'api-key': 'three' });
  });

  it("replaces the client's header of that name, in whatever case", async () => {
    const call = await sendWith(['x-ORG: clients', 'X-org: clients-too'], {
      auth: { header: { 'X-Org': 'ours' } },
    });
    expect(call.headers['x-org']).toBe('ours');
    expect(times(call, 'x-org')).toBe(1);
  });
});

describe('the framing of the body', () => {
  it('is one content-length, also for a chunked client', async () => {
    const upstream = await startRawUpstream((socket) => socket.write(rawAnswer('200 OK', '{"ok":true}')));
    const app = await startApp({ instances: [instance('a', upstream.url, { options: {} })] });
    const client = await connectRaw(app.port);
    client.write('POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.write('4\r\n{"me\r\nb\r\nssages":[]}\r\n0\r\n\r\n');
    await client.until('{"ok":true}');
    const [request = ''] = upstream.requests;
    expect(request.match(/^content-length: .*$/gim)).toEqual(['content-length: 15']);
    expect(request).not.toMatch(/^transfer-encoding:/im);
    expect(request.slice(request.indexOf('\r\n\r\n') + 4)).toBe('{"messages":[]}');
  });

  it('counts bytes, not characters', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    const content = '日本語 ü 😀';
    await post(app.url, { messages: [{ role: 'user', content }] });
    const [call] = upstream.calls;
    expect(call?.headers['content-length']).toBe(String(Buffer.byteLength(call?.body ?? '')));
    expect(call?.body).toContain(content);
  });

  it('is absent where there is no body', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    await fetch(`${app.url}/v1/models`);
    const [call] = upstream.calls;
    expect(call?.method).toBe('GET');
    for (const name of ['content-length', 'transfer-encoding', 'content-type']) {
      expect(call?.headers).not.toHaveProperty(name);
    }
  });
});
