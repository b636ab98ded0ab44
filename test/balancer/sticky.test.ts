import type { Host } from 'ai-proxy-multi';
import type { RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { type AppOptions, instance, startApp } from '../support/app.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { askWho, failFor, modelIn } from './ask.ts';

const users = Array.from({ length: 24 }, (_value, index) => `user-${index}`);
const byUser = { algorithm: 'chash', hash_on: 'header', key: 'X-User' } as const;

interface Sticky extends AppOptions {
  readonly balancer?: Record<string, string>;
  readonly down?: Set<string>;
}

async function startSticky({ balancer = byUser, down = new Set(), ...options }: Sticky = {}) {
  const upstream = await startUpstream(failFor(down));
  const make = (name: string) => instance(name, upstream.url);
  const configOf = (names: readonly string[]): Parameters<typeof startApp>[0] => ({
    balancer: { ...byUser, ...balancer },
    fallback_strategy: ['http_5xx'],
    instances: names.map(make),
  });
  const app = await startApp(configOf(['a', 'b', 'c']), options);
  return { app, upstream, configOf };
}

/** Who answers each user. */
async function placesOf(url: string): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const user of users) places.set(user, await askWho(url, { 'x-user': user }));
  return places;
}

function expectOnlyKeysOfToMove(
  name: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): void {
  expect([...before.values()]).toContain(name);
  for (const [user, place] of before) {
    if (place === name) expect(after.get(user)).not.toBe(name);
    else expect(after.get(user)).toBe(place);
  }
}

describe('chash on a header', () => {
  it('keeps each key at its instance, and uses all instances', async () => {
    const { app } = await startSticky();
    const places = await placesOf(app.url);
    expect(await placesOf(app.url)).toEqual(places);
    expect(new Set(places.values())).toEqual(new Set(['a', 'b', 'c']));
  });

  it('moves only the keys of an instance that an update removes, and brings them back with it', async () => {
    const { app, configOf } = await startSticky();
    const before = await placesOf(app.url);
    app.middleware.update(configOf(['a', 'c']));
    expectOnlyKeysOfToMove('b', before, await placesOf(app.url));
    app.middleware.update(configOf(['c', 'b', 'a']));
    expect(await placesOf(app.url)).toEqual(before);
  });

  it("sends a failing instance's keys on to the next one, always the same, and gets them back", async () => {
    const down = new Set<string>();
    const { app } = await startSticky({ down });
    const before = await placesOf(app.url);
    down.add('model-b');
    const during = await placesOf(app.url);
    expectOnlyKeysOfToMove('b', before, during);
    expect(await placesOf(app.url)).toEqual(during);
    down.clear();
    expect(await placesOf(app.url)).toEqual(before);
  });

  it('sends requests without the header where the address of their client belongs', async () => {
    const { app, upstream } = await startSticky();
    const place = await askWho(app.url);
    for (let index = 0; index < 5; index++) expect(await askWho(app.url)).toBe(place);
    app.middleware.update({
      balancer: { algorithm: 'chash', hash_on: 'vars', key: 'remote_addr' },
      instances: ['a', 'b', 'c'].map((name) => instance(name, upstream.url)),
    });
    expect(await askWho(app.url)).toBe(place);
  });
});

/** Expects values of a key to be told apart: each stays put, and together they use more than one instance. */
async function expectSticky(ask: (value: string) => Promise<string>): Promise<void> {
  const places = new Map<string, string>();
  for (const user of users) places.set(user, await ask(user));
  expect(new Set(places.values()).size).toBeGreaterThan(1);
  for (const user of users.slice(0, 10)) expect(await ask(user)).toBe(places.get(user));
}

describe('every kind of hash_on keeps keys apart and at their place', () => {
  const consumer: RequestHandler = (req, res, next) => {
    res.locals.consumer = { username: req.get('x-login') };
    next();
  };
  const hostVars: Host = {
    vars: (name, req) => (name === 'tenant' ? String(req.headers.tenant) : undefined),
  };

  it.each<[string, Sticky, (value: string) => [string, Record<string, string>]]>([
    ['cookie', { balancer: { hash_on: 'cookie', key: 'sid' } }, (value) => ['/', { cookie: `sid=${value}` }]],
    ['vars arg_*', { balancer: { hash_on: 'vars', key: 'arg_user' } }, (value) => [`/?user=${value}`, {}]],
    [
      'vars uri below a mount',
      { mount: '/ai', balancer: { hash_on: 'vars', key: 'uri' } },
      (value) => [`/ai/${value}`, {}],
    ],
    [
      'vars of host.vars',
      { host: hostVars, balancer: { hash_on: 'vars', key: 'tenant' } },
      (value) => ['/', { tenant: value }],
    ],
    [
      'vars remote_addr behind a trusted proxy',
      { balancer: { hash_on: 'vars', key: 'remote_addr' }, before: (app) => app.set('trust proxy', true) },
      (value) => ['/', { 'x-forwarded-for': `10.0.0.${value.slice(5)}` }],
    ],
    [
      'consumer',
      { balancer: { hash_on: 'consumer' }, before: (app) => app.use(consumer) },
      (value) => ['/', { 'x-login': value }],
    ],
    [
      'vars_combinations',
      { balancer: { hash_on: 'vars_combinations', key: '$http_x-user$arg_tenant' } },
      (value) => ['/?tenant=acme', { 'x-user': value }],
    ],
  ])('%s', async (_name, options, request) => {
    const { app } = await startSticky(options);
    await expectSticky((value) => {
      const [path, headers] = request(value);
      return askWho(`${app.url}${path}`, headers);
    });
  });

  it('does not let a client pick its place by x-forwarded-for where no proxy is trusted', async () => {
    const { app } = await startSticky({ balancer: { hash_on: 'vars', key: 'remote_addr' } });
    const places = new Set<string>();
    for (const user of users)
      places.add(await askWho(app.url, { 'x-forwarded-for': `10.0.0.${user.slice(5)}` }));
    expect(places.size).toBe(1);
  });
});

it('falls through the tiers with chash too, each key to its place in the lower one', async () => {
  const upstream = await startUpstream(failFor(new Set(['model-top'])));
  const reserves = ['a', 'b', 'c'].map((name) => instance(name, upstream.url));
  const app = await startApp({
    balancer: byUser,
    fallback_strategy: ['http_5xx'],
    instances: [instance('top', upstream.url, { priority: 1 }), ...reserves],
  });
  const places = await placesOf(app.url);
  expect(new Set(places.values())).toEqual(new Set(['a', 'b', 'c']));
  expect(upstream.calls.filter(({ body }) => modelIn(body) === 'model-top')).toHaveLength(users.length);
  expect(await placesOf(app.url)).toEqual(places);
});

it('serves on a round robin where chash is not asked for, header or not', async () => {
  const upstream = await startUpstream(echoModel());
  const app = await startApp({
    balancer: { algorithm: 'roundrobin', hash_on: 'header', key: 'X-User' },
    instances: ['a', 'b'].map((name) => instance(name, upstream.url)),
  });
  expect(await askWho(app.url, { 'x-user': 'ann' })).toBe('a');
  expect(await askWho(app.url, { 'x-user': 'ann' })).toBe('b');
});
