import { type ModelRouterConfig, modelRouter } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { startHolding } from '../support/holding-upstream.ts';
import {
  answerJson,
  chatAnswer,
  chatEvent,
  doneEvent,
  echoModel,
  startUpstream,
} from '../support/upstream.ts';
import {
  alias,
  caller,
  countOf,
  failWith,
  type Routing,
  servedBy,
  servedInTurn,
  startRouter,
  target,
} from './router-app.ts';

/** Targets a, b, c at one upstream that is well. */
async function startThree(
  targets: Routing['targets'],
  routing: Partial<Routing> = {},
  models: Parameters<typeof target>[2][] = [],
) {
  const upstream = await startUpstream(echoModel());
  return startRouter({
    targets: ['a', 'b', 'c'].map((name, index) => target(name, upstream, models[index])),
    aliases: [alias('chat', targets, routing)],
  });
}

/** Targets of which all fail: the order in which they are tried. */
async function orderOf(targets: Routing['targets'], routing: Partial<Routing>) {
  const tried: string[] = [];
  const upstream = await startUpstream((call, res) => {
    tried.push(String(call.headers.authorization).replace('Bearer sk-', ''));
    answerJson(res, 500, {});
  });
  const app = await startRouter({
    targets: ['a', 'b', 'c', 'd'].map((name) => target(name, upstream, { cooldown: { enabled: false } })),
    aliases: [alias('chat', targets, routing)],
  });
  return {
    app,
    async next(headers: Record<string, string> = {}) {
      tried.length = 0;
      await app.ask('chat', {}, headers);
      return tried.join('');
    },
  };
}

const abc = [{ model: 'a' }, { model: 'b' }, { model: 'c' }];

describe('the strategies', () => {
  it.each([
    'failover',
    'round_robin',
    'weighted',
    'consistent_hash',
    'least_cost',
    'least_latency',
    'least_busy',
  ] as const)('%s is one of them, and answers', async (strategy) => {
    const app = await startThree(abc, { strategy });
    const answer = await app.ask('chat');
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ model: 'chat' });
  });

  it('failover always begins with the first target, and is the default', async () => {
    const app = await startThree(abc);
    expect(await servedInTurn(app, 'chat', 4)).toEqual(['a', 'a', 'a', 'a']);
  });

  it('failover goes through the others as they are declared', async () => {
    const { next } = await orderOf([{ model: 'c' }, { model: 'a' }, { model: 'b' }], {});
    expect(await next()).toBe('cab');
  });

  it.each(['round_robin', 'weighted'] as const)('%s with 8:2 is exactly that over ten', async (strategy) => {
    const app = await startThree(
      [
        { model: 'a', weight: 8 },
        { model: 'b', weight: 2 },
      ],
      { strategy },
    );
    const names = await servedInTurn(app, 'chat', 10);
    expect(countOf(names, 'a')).toBe(8);
    expect(countOf(names, 'b')).toBe(2);
    // Spread out: never the two of them in a row.
    expect(names.join('')).not.toContain('bb');
  });

  it('weighted with 70/30 is exactly that over a hundred', async () => {
    const app = await startThree(
      [
        { model: 'a', weight: 70 },
        { model: 'b', weight: 30 },
      ],
      { strategy: 'weighted' },
    );
    const names = await servedInTurn(app, 'chat', 100);
    expect(countOf(names, 'a')).toBe(70);
    expect(countOf(names, 'b')).toBe(30);
  });

  it('round_robin without weights takes turns', async () => {
    const app = await startThree(abc, { strategy: 'round_robin' });
    expect((await servedInTurn(app, 'chat', 6)).join('')).toBe('abcabc');
  });

  it('a weight of 0 counts as 1', async () => {
    const app = await startThree(
      [
        { model: 'a', weight: 0 },
        { model: 'b', weight: 3 },
      ],
      { strategy: 'weighted' },
    );
    const names = await servedInTurn(app, 'chat', 8);
    expect(countOf(names, 'a')).toBe(2);
  });

  it('round_robin goes on from its winner, around the end, and a failed request spends one turn', async () => {
    const { next } = await orderOf(abc, { strategy: 'round_robin' });
    expect([await next(), await next(), await next(), await next()]).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  it('round_robin of two aliases does not share turns', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [target('a', upstream), target('b', upstream)],
      aliases: [
        alias('one', ['a', 'b'], { strategy: 'round_robin' }),
        alias('two', ['a', 'b'], { strategy: 'round_robin' }),
      ],
    });
    expect(await servedInTurn(app, 'one', 1)).toEqual(['a']);
    expect(await servedInTurn(app, 'two', 1)).toEqual(['a']);
    expect(await servedInTurn(app, 'one', 1)).toEqual(['b']);
  });
});

describe('consistent_hash', () => {
  const strategy = 'consistent_hash';
  const key = (name: string): Record<string, string> => ({ 'x-aisix-routing-key': name });
  const names = Array.from({ length: 24 }, (_each, index) => `user-${index}`);

  it('sends a key to the same target each time, and different keys to different ones', async () => {
    const app = await startThree(abc, { strategy });
    const once = [];
    for (const name of names) once.push(servedBy(await app.ask('chat', {}, key(name))));
    const again = [];
    for (const name of names) again.push(servedBy(await app.ask('chat', {}, key(name))));
    expect(again).toEqual(once);
    expect(new Set(once).size).toBe(3);
  });

  it("moves a lost target's keys alone", async () => {
    let isLost = false;
    const upstreams = [
      await startUpstream(echoModel()),
      await startUpstream((call, res) =>
        isLost ? answerJson(res, 401, {}) : answerJson(res, 200, chatAnswer(call.url)),
      ),
      await startUpstream(echoModel()),
    ] as const;
    const app = await startRouter({
      targets: [target('a', upstreams[0]), target('b', upstreams[1]), target('c', upstreams[2])],
      aliases: [alias('chat', abc, { strategy })],
    });
    const ask = async () => {
      const found: (string | null)[] = [];
      for (const name of names) found.push(servedBy(await app.ask('chat', {}, key(name))));
      return found;
    };
    const before = await ask();
    isLost = true;
    // It benches the target, whatever the key.
    await app.ask('b');
    const after = await ask();
    expect(countOf(after, 'b')).toBe(0);
    for (const [index, name] of before.entries()) if (name !== 'b') expect(after[index]).toBe(name);
  });

  it("goes by the caller's key where there is no header", async () => {
    const upstream = await startUpstream(echoModel());
    const keys = names.map((name) => `sk-${name}`);
    const app = await startRouter({
      targets: ['a', 'b', 'c'].map((name) => target(name, upstream)),
      aliases: [alias('chat', abc, { strategy })],
      api_keys: keys.map((each, index) => caller(each, ['*'], { id: `caller-${index}` })),
    });
    const ask = async (each: string) =>
      servedBy(await app.ask('chat', {}, { authorization: `Bearer ${each}` }));
    const found = new Set<string | null>();
    for (const each of keys) {
      const name = await ask(each);
      found.add(name);
      expect(await ask(each)).toBe(name);
    }
    expect(found.size).toBeGreaterThan(1);
  });

  it.each([
    ['a header', { type: 'header', name: 'X-User' }, (value: string) => ({ 'x-user': value })],
    ['a cookie', { type: 'cookie', name: 'sid' }, (value: string) => ({ cookie: `sid=${value}` })],
    ['an address', { type: 'client_ip' }, (value: string) => ({ 'x-forwarded-for': `10.0.0.${value}` })],
  ] as const)('goes by %s where hash_on says so', async (_what, source, headers) => {
    const app = await startThree(abc, {
      strategy,
      hash_on: [{ type: 'header', name: 'x-never-sent' }, source],
    });
    const ask = async (value: string) => servedBy(await app.ask('chat', {}, headers(value)));
    const found = new Set<string | null>();
    for (let index = 0; index < 20; index++) {
      const name = await ask(String(index));
      found.add(name);
      expect(await ask(String(index))).toBe(name);
    }
    expect(found.size).toBeGreaterThan(1);
  });

  it('tries the others along the ring, each once', async () => {
    const { next } = await orderOf(abc, { strategy });
    const order = await next(key('user-1'));
    expect([...order].sort().join('')).toBe('abc');
    expect(await next(key('user-1'))).toBe(order);
  });
});

describe('least_cost', () => {
  it('begins with the cheapest and ends with those whose price is not known', async () => {
    const tried: string[] = [];
    const upstream = await startUpstream((call, res) => {
      tried.push(String(call.headers.authorization).replace('Bearer sk-', ''));
      answerJson(res, 500, {});
    });
    const app = await startRouter({
      targets: [
        target('unknown', upstream),
        target('dear', upstream, { cost: { input_per_1k: 1, output_per_1k: 5 } }),
        target('cheap', upstream, { cost: { input_per_1k: 2, output_per_1k: 1 } }),
        target('free', upstream, { cost: { input_per_1k: 0, output_per_1k: 0 } }),
      ],
      aliases: [alias('chat', ['unknown', 'dear', 'cheap', 'free'], { strategy: 'least_cost' })],
    });
    await app.ask('chat');
    expect(tried).toEqual(['free', 'cheap', 'dear', 'unknown']);
  });
});

describe('least_latency', () => {
  it('asks each that it knows nothing of once, and then the quickest', async () => {
    const slow = await startUpstream((_call, res) => {
      setTimeout(() => answerJson(res, 200, chatAnswer('m')), 150);
    });
    const quick = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [target('slow', slow), target('quick', quick)],
      aliases: [alias('chat', ['slow', 'quick'], { strategy: 'least_latency' })],
    });
    expect(await servedInTurn(app, 'chat', 4)).toEqual(['slow', 'quick', 'quick', 'quick']);
  });

  it('goes by the first token of streams, not by their length', async () => {
    const stream = (firstMs: number, restMs: number) =>
      startUpstream((_call, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        setTimeout(() => res.write(chatEvent('Hel')), firstMs);
        setTimeout(() => res.end(chatEvent('lo') + doneEvent), firstMs + restMs);
      });
    const app = await startRouter({
      targets: [target('late', await stream(150, 0)), target('long', await stream(0, 200))],
      aliases: [alias('chat', ['late', 'long'], { strategy: 'least_latency' })],
    });
    const names = [];
    for (let index = 0; index < 3; index++) names.push(servedBy(await app.ask('chat', { stream: true })));
    expect(names).toEqual(['late', 'long', 'long']);
  });
});

describe('least_busy', () => {
  it('goes where the fewest requests are under way, for their weights', async () => {
    const upstream = await startHolding();
    const app = await startRouter({
      targets: [target('a', upstream), target('b', upstream)],
      aliases: [
        alias(
          'chat',
          [
            { model: 'a', weight: 1 },
            { model: 'b', weight: 2 },
          ],
          { strategy: 'least_busy' },
        ),
      ],
    });
    const asked = [];
    for (let count = 1; count <= 6; count++) {
      asked.push(app.ask('chat'));
      await upstream.holding(count);
    }
    upstream.release();
    const names = (await Promise.all(asked)).map(servedBy);
    expect(countOf(names, 'a')).toBe(2);
    expect(countOf(names, 'b')).toBe(4);
  });
});

describe('priority', () => {
  it('goes before the strategy: higher numbers first', async () => {
    const targets = [
      { model: 'a', priority: -1 },
      { model: 'b', priority: 10 },
      { model: 'c' },
      { model: 'd', priority: 10 },
    ];
    const { next } = await orderOf(targets, { strategy: 'round_robin' });
    expect([await next(), await next()]).toEqual(['bdca', 'dbca']);
  });

  it('lets a lower one serve only while the higher ones are out', async () => {
    const first = await startUpstream(failWith(401));
    const second = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [target('a', second), target('b', first)],
      aliases: [alias('chat', [{ model: 'a' }, { model: 'b', priority: 1 }])],
    });
    expect((await app.ask('chat')).status).toBe(401);
    expect(await servedInTurn(app, 'chat', 2)).toEqual(['a', 'a']);
    expect(first.calls).toHaveLength(1);
  });
});

describe('tags', () => {
  const targets = [{ model: 'a', tags: ['eu'] }, { model: 'b', tags: ['us', 'default'] }, { model: 'c' }];

  it.each([
    ['eu', 'a'],
    [' us , x', 'b'],
    ['', 'b'],
    ['mars', 'b'],
  ])('x-aisix-routing-tags: "%s" leads to %s', async (tags, name) => {
    const app = await startThree(targets);
    expect(servedBy(await app.ask('chat', {}, { 'x-aisix-routing-tags': tags }))).toBe(name);
  });

  it('that no target has, and no default, are a 400', async () => {
    const app = await startThree([{ model: 'a', tags: ['eu'] }]);
    expect((await app.ask('chat', {}, { 'x-aisix-routing-tags': 'mars' })).status).toBe(400);
  });

  it('are not sent upstream', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startRouter({
      targets: [target('a', upstream)],
      aliases: [alias('chat', [{ model: 'a', tags: ['eu'] }])],
    });
    await app.ask('chat', {}, { 'x-aisix-routing-tags': 'eu', 'x-aisix-routing-key': 'k' });
    expect(JSON.stringify(upstream.calls[0]?.rawHeaders)).not.toContain('x-aisix');
  });
});

describe('a configuration that cannot be', () => {
  it.each([
    [
      'both names of one policy, with different values',
      { on_all_filtered: 'fail', when_all_unavailable: 'try_anyway' },
    ],
    ['an unknown strategy', { strategy: 'random' }],
  ])('is refused at once: %s', (_what, routing) => {
    const config = {
      provider_keys: [{ display_name: 'k', api_key: 'sk' }],
      models: [
        { display_name: 'a', provider: 'openai', model_name: 'm', provider_key: 'k' },
        { display_name: 'chat', routing: { targets: [{ model: 'a' }], ...routing } },
      ],
    };
    const start: (config: unknown) => unknown = (given) => Reflect.apply(modelRouter, undefined, [given]);
    expect(() => start(config satisfies Record<keyof Pick<ModelRouterConfig, 'models'>, unknown>)).toThrow(
      /routing/,
    );
  });
});
