import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { apisixRouter } from '../../lib/apisix-router/apisix-router.ts';
import { stderrLogger } from '../../lib/host.ts';
import { askInTurn, askWho } from '../balancer/ask.ts';
import { instance, serve } from '../support/app.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { startUpstream } from '../support/upstream.ts';
import { healthOf, logHealth, quickChecks, startHealthApp } from './health-app.ts';
import { startPatient } from './patient.ts';

async function deserted({ sockets }: { readonly sockets: ReadonlySet<NodeJS.EventEmitter> }): Promise<void> {
  for (const socket of sockets) await once(socket, 'close');
}

/** An instance that has been found unhealthy, beside one that nobody checks. */
async function startWithOneDown() {
  const [ill, well] = [await startPatient(), await startPatient()];
  ill.fallIll();
  const down = instance('down', ill.url, quickChecks());
  const up = instance('up', well.url);
  const app = await startHealthApp({ instances: [down, up] });
  await app.until('down', 'unhealthy');
  return { app, ill, down, up };
}

describe('checks', () => {
  it('begin with the configuration, before any request', async () => {
    const patient = await startPatient();
    await startHealthApp({ instances: [instance('a', patient.url, quickChecks())] });
    await patient.probed(1);
    expect(patient.requests).toEqual([]);
  });

  it('never overlap, however long a probe takes', async () => {
    let mostOpen = 0;
    const upstream = await startUpstream(async () => {
      // The end of the last connection may come in the same turn of the event loop.
      await new Promise(setImmediate);
      mostOpen = Math.max(mostOpen, upstream.sockets.size);
    });
    const app = await startHealthApp({
      instances: [instance('a', upstream.url, quickChecks({ timeout: 1.5 }))],
    });
    await app.until('a', 'unhealthy');
    while (upstream.calls.length < 3) await once(upstream.server, 'request');
    expect(mostOpen).toBe(1);
  });

  it('of 200 instances open no more sockets than there are instances', async () => {
    const patient = await startPatient();
    let mostOpen = 0;
    patient.server.on('connection', () => {
      mostOpen = Math.max(mostOpen, patient.sockets.size);
    });
    const names = Array.from({ length: 200 }, (_value, index) => `number-${index}`);
    const make = (name: string) => instance(name, patient.url, quickChecks());
    const app = await startHealthApp({ instances: [make('first'), ...names.slice(1).map(make)] });
    await Promise.all(names.slice(1).map((name) => app.until(name, 'healthy')));
    await patient.probed(600);
    expect(mostOpen).toBeLessThanOrEqual(200);
    expect(app.middleware.status().instances.map(({ health }) => health.state)).toEqual(
      Array(200).fill('healthy'),
    );
  });
});

describe('update()', () => {
  it('keeps the health of an instance whose name, endpoint, auth and checks stay the same', async () => {
    const { app, down, up } = await startWithOneDown();
    const before = healthOf(app, 'down');
    app.middleware.update({
      timeout: 1000,
      instances: [{ ...down, weight: 9, options: { model: 'x' } }, up],
    });
    expect(healthOf(app, 'down')).toEqual(before);
    expect(await askInTurn(app.url, 3)).toEqual(['up', 'up', 'up']);
    expect(app.changes).toHaveLength(1);
  });

  it('goes on checking it', async () => {
    const { app, ill, down, up } = await startWithOneDown();
    app.middleware.update({ instances: [down, up] });
    ill.recover();
    await app.until('down', 'healthy');
    expect((await askInTurn(app.url, 4)).sort()).toEqual(['down', 'down', 'up', 'up']);
  });

  it.each([
    ['name', { name: 'renamed' }],
    ['auth', { auth: { header: { Authorization: 'Bearer another' } } }],
    ['checks', quickChecks({ timeout: 2 })],
  ])('forgets the health of an instance with another %s', async (_what, other) => {
    const { app, down, up } = await startWithOneDown();
    const renamed = { ...down, ...other };
    app.middleware.update({ instances: [renamed, up] });
    expect(healthOf(app, renamed.name)?.state).toBe('unchecked');
    await app.until(renamed.name, 'unhealthy');
  });

  it('forgets the health of an instance with another endpoint', async () => {
    const { app, down, up } = await startWithOneDown();
    const moved = await startPatient();
    app.middleware.update({ instances: [{ ...down, override: { endpoint: moved.url } }, up] });
    expect(healthOf(app, 'down')?.state).toBe('unchecked');
    await app.until('down', 'healthy');
  });

  it('says of an instance that is gone that nothing is known of it any more', async () => {
    const { app, up } = await startWithOneDown();
    app.middleware.update({ instances: [up] });
    expect(app.changes.at(-1)).toEqual({
      instance: 'down',
      state: 'unchecked',
      reason: 'its checks have ended',
    });
  });

  it('says so before it finds out about one that has moved, and nothing of one that stays', async () => {
    const { app, down, up } = await startWithOneDown();
    app.middleware.update({ instances: [down] });
    expect(app.changes.map(({ state }) => state)).toEqual(['unhealthy']);
    const moved = await startPatient();
    app.middleware.update({ instances: [{ ...down, override: { endpoint: moved.url } }, up] });
    await app.until('down', 'healthy');
    expect(app.changes.map(({ state }) => state)).toEqual(['unhealthy', 'unchecked', 'healthy']);
  });

  it('ends the checks of an instance that is gone', async () => {
    const { app, ill, up } = await startWithOneDown();
    app.middleware.update({ instances: [up] });
    await deserted(ill);
    const count = ill.probes.length;
    app.middleware.update({ instances: [{ ...up, ...quickChecks() }] });
    await app.until('up', 'healthy');
    expect(ill.probes).toHaveLength(count);
  });

  it('with an invalid configuration leaves the checks as they are', async () => {
    const { app, ill, down } = await startWithOneDown();
    expect(() => app.middleware.update({ instances: [down, down] })).toThrow();
    ill.recover();
    await app.until('down', 'healthy');
  });
});

describe('a router made of APISIX routes', () => {
  /** A router with one route, one of whose two instances has been found unhealthy. */
  async function startRouter() {
    const [ill, well] = [await startPatient(), await startPatient()];
    ill.fallIll();
    const health = logHealth();
    const { onHealth } = health;
    const down = instance('down', ill.url, quickChecks());
    const routes = [
      {
        id: 'one',
        uri: '/ai',
        plugins: { 'ai-proxy-multi': { instances: [down, instance('up', well.url)] } },
      },
    ];
    const router = apisixRouter({ routes }, { onHealth, logger: { ...stderrLogger, warn() {} } });
    onTestFinished(() => router.close());
    await health.until('down', 'unhealthy');
    return { ...health, router, routes, ill };
  }

  it('checks the instances of its routes until it is closed', async () => {
    const { router, ill } = await startRouter();
    const { url } = await serve(router);
    expect(await askInTurn(`${url}/ai`, 3)).toEqual(['up', 'up', 'up']);
    await router.close();
    await deserted(ill);
  });

  it('keeps the health of instances that stay the same when its routes are replaced', async () => {
    const { router, routes, changes } = await startRouter();
    router.update({ routes });
    expect(router.status().one?.instances[0]?.health).toMatchObject({ state: 'unhealthy' });
    expect(changes).toHaveLength(1);
  });
});

describe('close()', () => {
  it('ends the checks and closes their connections', async () => {
    const patient = await startPatient();
    const app = await startHealthApp({ instances: [instance('a', patient.url, quickChecks())] });
    await app.until('a', 'healthy');
    await app.middleware.close();
    await deserted(patient);
  });

  it('aborts a probe under way, which changes nothing any more', async () => {
    const holding = await startHolding();
    const app = await startHealthApp({
      instances: [instance('a', holding.url, quickChecks({ timeout: 60 }))],
    });
    await holding.holding(1);
    await app.middleware.close();
    await deserted(holding);
    expect([app.changes, healthOf(app, 'a')?.state]).toEqual([[], 'unchecked']);
  });

  it('leaves what is known of the instances to the requests that still come', async () => {
    const { app } = await startWithOneDown();
    await app.middleware.close();
    expect(await askWho(app.url)).toBe('up');
  });
});
