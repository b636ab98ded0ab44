import { ConfigError } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { serve } from '../support/app.ts';
import { sendRaw } from '../support/gateway.ts';
import { bareHttp, makeGate, stacks, startGate } from './gate.ts';

const MISSING = { status: 401, body: '{"message":"Missing API key in request"}' };
const INVALID = { status: 401, body: '{"message":"Invalid API key in request"}' };

describe.each(stacks)('keyAuth in $name', (stack) => {
  it('lets in who has a key in the header, and says who it is without saying the key', async () => {
    const gate = await startGate({}, {}, stack);
    expect(await gate.ask('GET /', ['apikey: jane-key'])).toMatchObject({ status: 200, body: '"welcome"' });
    expect(gate.seen[0]?.consumer).toEqual({ username: 'janedoe' });
  });

  it('lets in who has it in the query', async () => {
    const gate = await startGate({}, {}, stack);
    expect(await gate.ask('GET /?apikey=john-key')).toMatchObject({ status: 200 });
    expect(gate.seen[0]?.consumer).toEqual({ username: 'johndoe' });
  });

  it('turns away who has none', async () => {
    const gate = await startGate({}, {}, stack);
    expect(await gate.ask('GET /')).toMatchObject(MISSING);
    expect(gate.seen).toEqual([]);
  });

  it('turns away who has a wrong one', async () => {
    const gate = await startGate({}, {}, stack);
    expect(await gate.ask('GET /', ['apikey: jane-ke'])).toMatchObject(INVALID);
    expect(gate.seen).toEqual([]);
  });

  it('lets everybody in as the anonymous consumer, where there is one', async () => {
    const gate = await startGate({ anonymous_consumer: 'guest' }, {}, stack);
    await gate.ask('GET /');
    await gate.ask('GET /', ['apikey: wrong']);
    await gate.ask('GET /', ['apikey: jane-key']);
    expect(gate.seen.map(({ consumer }) => consumer)).toEqual([
      { username: 'guest' },
      { username: 'guest' },
      { username: 'janedoe' },
    ]);
  });
});

describe('a consumer', () => {
  it('is let in with any of its credentials', async () => {
    const gate = await startGate();
    for (const key of ['john-key', 'john-other-key']) await gate.ask('GET /', [`apikey: ${key}`]);
    expect(gate.seen.map(({ consumer }) => consumer)).toEqual([
      { username: 'johndoe' },
      { username: 'johndoe' },
    ]);
  });

  it('is a new object with each request, for other middlewares to add to', async () => {
    const { middleware } = makeGate();
    const stamped: unknown[] = [];
    const locals = { consumer: { username: 'set by somebody in front' } };
    const { port } = await serve(
      bareHttp.listenerOf([
        (_req, res, next) => {
          Object.assign(res, { locals });
          next();
        },
        middleware,
        (_req, res) => {
          stamped.push({ ...locals.consumer });
          Object.assign(locals.consumer, { plan: 'gold' });
          res.end();
        },
      ]),
    );
    await sendRaw(port, 'GET /', ['apikey: jane-key']);
    await sendRaw(port, 'GET /', ['apikey: jane-key']);
    expect(stamped).toEqual([{ username: 'janedoe' }, { username: 'janedoe' }]);
  });
});

describe('a configuration that cannot work', () => {
  it('is refused at once, with every fault of both parts', () => {
    const mount = (): unknown =>
      makeGate(
        { header: 'not a header', realm: '"' },
        {
          consumers: [
            { username: 'a', plugins: { 'key-auth': { key: 'same' } } },
            { username: 'b', plugins: { 'key-auth': { key: 'same' } } },
          ],
        },
      );
    expect(mount).toThrow(ConfigError);
    expect(mount).toThrow(/header.*realm.*consumers\[1\]/s);
  });

  it('is refused when its anonymous consumer is nobody', () => {
    expect(() => makeGate({ anonymous_consumer: 'gast' })).toThrow(/anonymous_consumer: is "gast"/);
  });
});
