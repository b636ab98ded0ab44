import { describe, expect, it } from 'vitest';
import { expresses, type Handler } from '../frameworks/frameworks.ts';
import { serve } from '../support/app.ts';
import { sendRaw } from '../support/gateway.ts';
import { bareHttp, makeGate, stacks, startGate } from './gate.ts';

const hiding = { hide_credentials: true };

describe.each(stacks)('hide_credentials in $name', (stack) => {
  it('takes the key out of the headers, however they are read', async () => {
    const gate = await startGate(hiding, {}, stack);
    await gate.ask('GET /', ['X-One: 1', 'ApiKey: jane-key', 'X-Two: 2']);
    const [seen] = gate.seen;
    expect(seen?.headers).toMatchObject({ 'x-one': '1', 'x-two': '2' });
    expect(seen?.headersDistinct).toMatchObject({ 'x-one': ['1'], 'x-two': ['2'] });
    expect(seen?.rawHeaders.slice(-4)).toEqual(['X-One', '1', 'X-Two', '2']);
    expect(JSON.stringify(seen)).not.toMatch(/apikey|jane-key/i);
  });

  it('takes it out of the query, and leaves the rest as it is written', async () => {
    const gate = await startGate(hiding, {}, stack);
    await gate.ask('GET /x?a=%7e&apikey=jane-key&b=1+2&&c&%61pikey=other&d=%zz');
    const [seen] = gate.seen;
    expect(seen?.url).toBe('/x?a=%7e&b=1+2&&c&d=%zz');
    if (seen?.originalUrl !== undefined) expect(seen.originalUrl).toBe('/x?a=%7e&b=1+2&&c&d=%zz');
    expect(JSON.stringify(seen)).not.toMatch(/apikey|jane-key/i);
  });

  it('takes the question mark along where nothing else is asked', async () => {
    const gate = await startGate(hiding, {}, stack);
    await gate.ask('GET /x?apikey=jane-key');
    expect(gate.seen[0]?.url).toBe('/x');
  });

  it('takes a wrong key away as well when its sender becomes the anonymous consumer', async () => {
    const gate = await startGate({ ...hiding, anonymous_consumer: 'guest' }, {}, stack);
    await gate.ask('GET /?apikey=wrong-key&a=1', ['apikey: wrong-key']);
    expect(gate.seen).toMatchObject([{ consumer: { username: 'guest' }, url: '/?a=1' }]);
    expect(JSON.stringify(gate.seen)).not.toMatch(/apikey|wrong-key/);
  });

  it('takes both places away, whichever of them decided', async () => {
    const gate = await startGate(hiding, {}, stack);
    await gate.ask('GET /?apikey=john-key', ['apikey: jane-key']);
    expect(gate.seen).toMatchObject([{ consumer: { username: 'janedoe' } }]);
    expect(JSON.stringify(gate.seen)).not.toMatch(/apikey|john-key/);
  });

  it('is off by default', async () => {
    const gate = await startGate({}, {}, stack);
    await gate.ask('GET /?apikey=jane-key&a=1', ['apikey: jane-key']);
    expect(gate.seen).toMatchObject([{ url: '/?apikey=jane-key&a=1', headers: { apikey: 'jane-key' } }]);
    expect(gate.seen[0]?.rawHeaders).toContain('jane-key');
  });
});

describe.each(expresses)('hide_credentials below a mount point in $name', ({ makeStack }) => {
  it('takes the key out of the whole target, on the inside and on the outside', async () => {
    const { middleware } = makeGate(hiding);
    const targets: unknown[] = [];
    const note: Handler = (req, _res, next) => {
      targets.push(req.url, 'originalUrl' in req && req.originalUrl, {
        ...('query' in req && typeof req.query === 'object' && req.query),
      });
      next();
    };
    const stack = makeStack();
    stack.mount('/ai', middleware);
    stack.mount('/ai', note);
    stack.use(note);
    stack.use((_req, res) => res.end('""'));
    const { port } = await serve(stack.listener);
    await sendRaw(port, 'GET /ai/chat?apikey=jane-key&a=1');
    await sendRaw(port, 'GET /ai?a=1&apikey=jane-key');
    expect(targets).toEqual([
      ...['/chat?a=1', '/ai/chat?a=1', { a: '1' }, '/ai/chat?a=1', '/ai/chat?a=1', { a: '1' }],
      ...['/?a=1', '/ai?a=1', { a: '1' }, '/ai?a=1', '/ai?a=1', { a: '1' }],
    ]);
  });
});

describe('a query that something else has parsed', () => {
  it('loses the key, and nothing goes wrong when it cannot', async () => {
    const queries = [
      { apikey: 'jane-key', a: '1' },
      Object.freeze({ apikey: 'jane-key' }),
      'apikey',
      undefined,
    ];
    const { middleware } = makeGate(hiding);
    const seen: unknown[] = [];
    const { port } = await serve(
      bareHttp.listenerOf([
        (req, _res, next) => {
          Object.assign(req, { query: queries[seen.length] });
          next();
        },
        middleware,
        (req, res) => {
          seen.push('query' in req && req.query);
          res.end('""');
        },
      ]),
    );
    for (const _ of queries) await sendRaw(port, 'GET /?apikey=jane-key');
    expect(seen).toEqual([{ a: '1' }, { apikey: 'jane-key' }, 'apikey', undefined]);
  });
});
