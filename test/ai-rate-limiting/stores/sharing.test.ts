import { expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../../lib/ai-rate-limiting/open-store.ts';
import { describeWithRedis, startRedis } from '../../support/redis.ts';
import { keepJournal, settingsFor } from './opening.ts';
import { startProxy } from './proxy.ts';

const CHARGE = [{ key: 'a', amount: 1, windowSeconds: 60 }];

describeWithRedis('stores in the same Redis', () => {
  it('share one connection, be there two thousand of them', async () => {
    const proxy = await startProxy(await startRedis());
    const { logger } = keepJournal();
    const surroundings = { logger, secret: undefined };
    const stores = Array.from({ length: 2000 }, () => openStore(settingsFor(proxy), surroundings));
    onTestFinished(async () => {
      await Promise.all(stores.map((store) => store.close()));
    });
    await Promise.all(stores.map((store) => store.add(CHARGE)));
    expect((await stores[0]?.read(['a']))?.[0]?.used).toBe(2000);
    expect(proxy.connections).toBe(1);
  });

  it('share none with other settings, another logger or another host.secret', async () => {
    const proxy = await startProxy(await startRedis());
    const { logger } = keepJournal();
    const settings = settingsFor(proxy);
    const stores = [
      openStore(settings, { logger, secret: undefined }),
      openStore({ ...settings, database: 1 }, { logger, secret: undefined }),
      openStore(settings, { logger: keepJournal().logger, secret: undefined }),
      openStore(settings, { logger, secret: () => '' }),
    ];
    onTestFinished(async () => {
      await Promise.all(stores.map((store) => store.close()));
    });
    await Promise.all(stores.map((store) => store.read(['a'])));
    expect(proxy.connections).toBe(4);
  });

  it('keep it until the last of them is closed, also when one is closed twice', async () => {
    const server = await startRedis();
    const { logger } = keepJournal();
    const [one, other] = [
      openStore(settingsFor(server), { logger, secret: undefined }),
      openStore(settingsFor(server), { logger, secret: undefined }),
    ];
    await one.close();
    await one.close();
    await other.add(CHARGE);
    expect((await other.read(['a']))[0]?.used).toBe(1);
    await other.close();
    await expect(other.read(['a'])).rejects.toThrow('is closed');
  });

  it('have a new one when they are opened after the last was closed', async () => {
    const proxy = await startProxy(await startRedis());
    const { logger } = keepJournal();
    for (let round = 1; round <= 2; round++) {
      const store = openStore(settingsFor(proxy), { logger, secret: undefined });
      await store.add(CHARGE);
      expect((await store.read(['a']))[0]?.used).toBe(round);
      await store.close();
    }
    expect(proxy.connections).toBe(2);
  });
});

describeWithRedis('closing a store', () => {
  it('lets a charge that is under way be counted', async () => {
    const proxy = await startProxy(await startRedis());
    const { logger } = keepJournal();
    const store = openStore(settingsFor(proxy), { logger, secret: undefined });
    await store.read(['a']);
    proxy.hold();
    const added = store.add(CHARGE);
    await proxy.sent(/\r\neval(sha)?\r\n/g, 1);
    const closed = store.close();
    await expect(store.read(['a'])).rejects.toThrow('is closed');
    proxy.release();
    await added;
    await closed;
  });

  it('ends the attempts to reach a Redis that is not there, without a word', async () => {
    const server = await startRedis();
    await server.stop();
    const journal = keepJournal();
    const store = openStore(settingsFor(server), { logger: journal.logger, secret: undefined });
    await store.close();
    await expect(store.read(['a'])).rejects.toThrow('is closed');
    expect(journal.lines).toEqual([]);
  });
});
