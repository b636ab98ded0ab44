import { describe, expect, it } from 'vitest';
import type { Handler } from '../frameworks/frameworks.ts';
import { serve } from '../support/app.ts';
import { sendRaw } from '../support/gateway.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { bareHttp, makeGate, stacks, startGate } from './gate.ts';

const MISSING = '{"message":"Missing API key in request"}';

/** The answers that have come over one connection. */
const statusesIn = (received: string): string[] => received.match(/HTTP\/1\.1 \d+/g) ?? [];

describe.each(stacks)('a refusal in $name', (stack) => {
  it('is JSON of a known length that names the scheme and the realm', async () => {
    const gate = await startGate({ realm: 'the LLMs of us all' }, {}, stack);
    const { headers } = await gate.ask('GET /');
    expect(headers.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()))).toEqual(
      expect.arrayContaining([
        'content-type: application/json',
        `content-length: ${MISSING.length}`,
        'www-authenticate: apikey realm="the LLMs of us all"',
      ]),
    );
  });

  it('goes without its body to a HEAD', async () => {
    const gate = await startGate({}, {}, stack);
    const { status, headers, body } = await gate.ask('HEAD /');
    expect({ status, body }).toEqual({ status: 401, body: '' });
    expect(headers).toContain(`content-length: ${MISSING.length}`);
  });

  it('is the same for a missing and a wrong key, but for its message', async () => {
    const gate = await startGate({}, {}, stack);
    const missing = await gate.ask('GET /');
    const wrong = await gate.ask('GET /', ['apikey: wrong']);
    const comparable = (headers: readonly string[]) => headers.filter((line) => !/^(date|etag)/i.test(line));
    expect(comparable(wrong.headers)).toEqual(comparable(missing.headers));
    expect(wrong.headers).toContain('www-authenticate: apikey realm="key"');
  });
});

describe('the connection after a refusal', () => {
  it('stays open after a request without a body', async () => {
    const gate = await startGate();
    const client = await connectRaw(gate.port);
    client.write('GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n');
    await client.until(MISSING);
    client.write('GET / HTTP/1.1\r\nHost: gateway.test\r\napikey: jane-key\r\nConnection: close\r\n\r\n');
    expect(statusesIn(await client.closed())).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
  });

  it('stays open after a request whose body came along, which is not taken for the next request', async () => {
    const gate = await startGate();
    const client = await connectRaw(gate.port);
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: gateway.test\r\napikey: jane-key\r\n\r\n';
    client.write(rawPost('/', smuggled));
    await client.until(MISSING);
    client.write('GET / HTTP/1.1\r\nHost: gateway.test\r\napikey: jane-key\r\nConnection: close\r\n\r\n');
    expect(statusesIn(await client.closed())).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
    expect(gate.seen.map(({ url }) => url)).toEqual(['/']);
  });

  it.each([
    ['Content-Length: 1000000', 'the beginning'],
    ['Transfer-Encoding: chunked', '5\r\nhello\r\n'],
  ])('closes when the body is still to come: %s', async (header, beginning) => {
    const gate = await startGate();
    const client = await connectRaw(gate.port);
    client.write(`POST / HTTP/1.1\r\nHost: gateway.test\r\n${header}\r\n\r\n${beginning}`);
    const received = await client.closed();
    expect(statusesIn(received)).toEqual(['HTTP/1.1 401']);
    expect(received.toLowerCase()).toContain('connection: close');
  });
});

describe('a refusal that is not the first answer', () => {
  const busy: Handler = (_req, res, next) => {
    res.end('"somebody was faster"');
    next();
  };

  it('leaves the other one alone, and the server goes on', async () => {
    const { middleware } = makeGate();
    const { port } = await serve(bareHttp.listenerOf([busy, middleware]));
    for (let round = 0; round < 2; round++) {
      expect(await sendRaw(port, 'GET /')).toMatchObject({ status: 200, body: '"somebody was faster"' });
    }
  });
});
