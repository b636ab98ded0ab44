import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askInTurn, askWho, countOf } from '../balancer/ask.ts';
import { instance } from '../support/app.ts';
import { answerJson, chatAnswer } from '../support/upstream.ts';
import { type Addressed, startAddressed, startMachines } from './addressed.ts';
import { healthOf, quickChecks, startChecked, startHealthApp } from './health-app.ts';
import { startPatient } from './patient.ts';

const both = ['127.0.0.1', '127.0.0.2'];

/** The state of each address, as a letter: `?` unchecked, `+` healthy, `x` unhealthy. */
function states(app: Addressed): Record<string, string> {
  const letters = { unchecked: '?', healthy: '+', unhealthy: 'x' };
  const addresses = app.health()?.addresses ?? [];
  return Object.fromEntries(addresses.map(({ address, state }) => [address, letters[state]]));
}

/** macOS answers at 127.0.0.1 alone. */
const hasOneAddress = process.platform === 'darwin';

describe.skipIf(hasOneAddress)('an instance whose name has several addresses', () => {
  it('is probed at each of them', async () => {
    const [one, other] = await startMachines();
    other.fallIll();
    const app = await startAddressed(one.port, both);
    await app.logged('an address of an instance is unhealthy');
    await app.until('a', 'healthy');
    expect(states(app)).toEqual({ '127.0.0.1': '+', '127.0.0.2': 'x' });
    expect(app.health()?.state).toBe('healthy');
  });

  it('shares its connections between the healthy ones', async () => {
    const [one] = await startMachines();
    const app = await startAddressed(one.port, both, { keepalive: false });
    await app.until('a', 'healthy');
    const answers = await askInTurn(app.url, 6);
    expect(both.map((address) => countOf(answers, address))).toEqual([3, 3]);
  });

  it('gets its requests where it is healthy, and says so once', async () => {
    const [one] = await startMachines();
    one.fallIll();
    const app = await startAddressed(one.port, both, { keepalive: false });
    expect(await app.logged('an address of an instance is unhealthy')).toEqual({
      level: 'warn',
      data: { instance: 'a', address: '127.0.0.1', reason: 'status 503' },
      message: 'an address of an instance is unhealthy; its others serve',
    });
    expect(await askInTurn(app.url, 6)).toEqual(Array(6).fill('127.0.0.2'));
    expect(app.changes.filter(({ state }) => state === 'unhealthy')).toEqual([]);
  });

  it('closes the idle connections to an address that goes down, and no others', async () => {
    const [one, other] = await startMachines();
    const app = await startAddressed(one.port, both);
    await app.until('a', 'healthy');
    // Requests at the same time need connections of their own, which take turns.
    await Promise.all([askWho(app.url), askWho(app.url)]);
    const [[left], [kept]] = [[...one.clients], [...other.clients]];
    if (left === undefined || kept === undefined) throw new Error('not both have been asked');
    const closed = once(left, 'close');
    one.fallIll();
    await closed;
    expect(kept.destroyed).toBe(false);
    expect(await askWho(app.url)).toBe('127.0.0.2');
    expect(other.clients.size).toBe(1);
  });

  it('closes a connection to an address that has gone down once its answer has ended', async () => {
    const [one, other] = await startMachines();
    const app = await startAddressed(one.port, both);
    await app.until('a', 'healthy');
    one.hold();
    const answers = Promise.all([askWho(app.url), askWho(app.url)]);
    while (one.clients.size === 0) await app.name.lookedUp(1);
    one.fallIll();
    await app.logged('an address of an instance is unhealthy');
    const [busy] = one.clients;
    if (busy === undefined) throw new Error('it was not asked');
    const closed = once(busy, 'close');
    one.release();
    expect((await answers).sort()).toEqual(both);
    await closed;
    expect(await askWho(app.url)).toBe('127.0.0.2');
    expect(other.clients.size).toBe(1);
  });

  it('takes an address back that has recovered', async () => {
    const [one] = await startMachines();
    one.fallIll();
    const app = await startAddressed(one.port, both, { keepalive: false });
    await app.logged('an address of an instance is unhealthy');
    one.recover();
    expect((await app.logged('is healthy again')).data).toEqual({
      instance: 'a',
      address: '127.0.0.1',
      reason: 'status 200',
    });
    expect(new Set(await askInTurn(app.url, 4))).toEqual(new Set(both));
  });

  it('is out only when all of them are', async () => {
    const [one, other] = await startMachines();
    one.fallIll();
    const app = await startAddressed(one.port, both, { keepalive: false });
    await app.logged('an address of an instance is unhealthy');
    other.fallIll();
    const change = await app.until('a', 'unhealthy');
    expect(change).toEqual({ instance: 'a', state: 'unhealthy', reason: 'status 503', address: '127.0.0.2' });
    // As the only instance it is tried all the same, everywhere.
    expect(new Set(await askInTurn(app.url, 4))).toEqual(new Set(both));
  });

  it('is probed at so many of them at the same moment as concurrency says', async () => {
    const [one, other] = [net.createServer(), net.createServer()];
    await once(one.listen(0, '127.0.0.1'), 'listening');
    const bound = one.address();
    if (bound === null || typeof bound === 'string') throw new Error('a TCP server has a port');
    await once(other.listen(bound.port, '127.0.0.2'), 'listening');
    let arrived = 0;
    other.on('connection', (socket) => {
      arrived++;
      socket.destroy();
    });
    const held = once(one, 'connection');
    const app = await startAddressed(bound.port, both, { checks: { concurrency: 1, timeout: 60 } });
    const [socket]: net.Socket[] = await held;
    // The other one is due at the same moment.
    await app.name.lookedUp(20);
    expect(arrived).toBe(0);
    const next = once(other, 'connection');
    socket?.destroy();
    await next;
    for (const server of [one, other]) server.close();
  });
});

describe.skipIf(hasOneAddress)('when its name is looked up again', () => {
  it('another order of its addresses changes nothing', async () => {
    const [one, other] = await startMachines();
    one.fallIll();
    const app = await startAddressed(one.port, both, { keepalive: false });
    await app.logged('an address of an instance is unhealthy');
    await app.until('a', 'healthy');
    const before = [app.health(), one.probes, other.probes, app.logs.length];
    app.name.addresses = [...both].reverse();
    await app.name.lookedUp(3);
    expect([app.health(), one.probes, other.probes, app.logs.length]).toEqual(before);
    expect(await askInTurn(app.url, 2)).toEqual(['127.0.0.2', '127.0.0.2']);
  });

  it('an address that has vanished gets nothing more', async () => {
    const [one, other] = await startMachines();
    const app = await startAddressed(one.port, both, { keepalive: false });
    await app.until('a', 'healthy');
    app.name.addresses = ['127.0.0.2'];
    await app.name.lookedUp(1);
    const probes = one.probes;
    expect(states(app)).toEqual({ '127.0.0.2': '+' });
    expect(await askInTurn(app.url, 3)).toEqual(Array(3).fill('127.0.0.2'));
    const later = other.probes + 1;
    while (other.probes < later) await app.name.lookedUp(1);
    expect(one.probes).toBe(probes);
  });

  it('a new address begins unchecked, and is probed', async () => {
    const [one, other] = await startMachines();
    one.fallIll();
    const app = await startAddressed(one.port, ['127.0.0.1']);
    await app.until('a', 'unhealthy');
    app.name.addresses = ['127.0.0.2'];
    expect(await app.until('a', 'unchecked')).toEqual({
      instance: 'a',
      state: 'unchecked',
      reason: 'its addresses have changed',
    });
    expect(await askWho(app.url)).toBe('127.0.0.2');
    await app.until('a', 'healthy');
    expect(other.probes).toBeGreaterThan(0);
  });

  it('a failure leaves the addresses as they are', async () => {
    const [one] = await startMachines();
    const app = await startAddressed(one.port, both);
    await app.until('a', 'healthy');
    const before = Object.keys(states(app));
    app.name.failure = 'EAI_AGAIN';
    await app.name.lookedUp(3);
    expect([Object.keys(states(app)), app.health()?.state]).toEqual([before, 'healthy']);
  });

  it('an instance that never had an address is unhealthy, until it has one', async () => {
    const [one] = await startMachines();
    const app = await startAddressed(one.port, []);
    expect(await app.until('a', 'unhealthy')).toEqual({
      instance: 'a',
      state: 'unhealthy',
      reason: 'ENOTFOUND',
    });
    expect(app.health()).not.toHaveProperty('addresses');
    app.name.failure = undefined;
    app.name.addresses = ['127.0.0.1'];
    await app.until('a', 'healthy');
    expect(await askWho(app.url)).toBe('127.0.0.1');
  });
});

const hasIpv6 = Object.values(networkInterfaces()).some((entries) =>
  entries?.some(({ address }) => address === '::1'),
);

describe.skipIf(!hasIpv6)('an IPv6 address', () => {
  it('is probed and asked as it is', async () => {
    const hosts: (string | undefined)[] = [];
    const server = http.createServer((req, res) => {
      req.resume();
      hosts.push(req.headers.host);
      answerJson(res, 200, chatAnswer('model-six'));
    });
    await once(server.listen(0, '::1'), 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('a TCP server has a port');
    const app = await startChecked(`http://[::1]:${bound.port}`, {});
    expect((await app.until('a', 'healthy')).address).toBe('::1');
    expect(await askWho(app.url)).toBe('six');
    expect(new Set(hosts)).toEqual(new Set([`[::1]:${bound.port}`]));
  });
});

describe('a name of the system', () => {
  it('is looked up as the system does it', async () => {
    const patient = await startPatient();
    const app = await startChecked(`http://localhost:${patient.port}`, {});
    await app.until('a', 'healthy');
    expect(healthOf(app, 'a')?.addresses).toContainEqual({
      address: '127.0.0.1',
      state: 'healthy',
      reason: 'status 200',
    });
    expect(patient.probes[0]?.headers.host).toBe(`localhost:${patient.port}`);
    expect(await askWho(app.url)).toBe('a');
  });

  it('that does not exist makes its instance unhealthy', async () => {
    const patient = await startPatient();
    const app = await startHealthApp({
      instances: [
        instance('nowhere', 'http://nowhere.invalid', quickChecks()),
        instance('here', patient.url),
      ],
    });
    await app.until('nowhere', 'unhealthy');
    expect(await askInTurn(app.url, 2)).toEqual(['here', 'here']);
  });
});
