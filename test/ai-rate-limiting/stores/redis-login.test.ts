import { expect, it } from 'vitest';
import { describeWithRedis, startRedis } from '../../support/redis.ts';
import { failureOf, open, seen, settingsFor } from './opening.ts';

const CHARGE = [{ key: 'a', amount: 1, windowSeconds: 60 }];
const [RIGHT, WRONG] = ['the-right-password', 'a-mistaken-password'];

describeWithRedis('logging in to Redis', () => {
  it('is done with a password alone', async () => {
    const { store } = open(settingsFor(await startRedis({ password: RIGHT }), { password: RIGHT }));
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
  });

  it('is done as a user of its own', async () => {
    const server = await startRedis();
    await server.call('ACL', 'SETUSER', 'gateway', 'on', `>${RIGHT}`, '~*', '+@all');
    await server.call('ACL', 'SETUSER', 'default', 'off');
    const { store } = open(settingsFor(server, { username: 'gateway', password: RIGHT }));
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
  });

  it.each([{}, { password: '' }, { username: 'gateway' }, { username: 'gateway', password: '' }])(
    'is left out where there is no password: %o',
    async (login) => {
      const { store } = open(settingsFor(await startRedis(), login));
      await store.add(CHARGE);
      expect((await store.read(['a']))[0]?.used).toBe(1);
    },
  );

  it('fails with a wrong password, and works as soon as somebody has mended it', async () => {
    const server = await startRedis({ password: RIGHT });
    const { store, journal } = open(settingsFor(server, { password: WRONG }));
    await expect(store.read(['a'])).rejects.toThrow('WRONGPASS');
    await expect(store.add(CHARGE)).rejects.toThrow('WRONGPASS');
    await server.call('ACL', 'SETUSER', 'default', `>${WRONG}`);
    await journal.until(/can be reached again/);
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
  });

  it('is tried again and again with a wrong password, but not without a pause', async () => {
    const server = await startRedis({ password: RIGHT });
    const { journal } = open(settingsFor(server, { password: WRONG }));
    const start = performance.now();
    await journal.until(/still cannot be reached/, 4);
    // 50, 100, 200 and 400 ms, of which chance takes off a half at most.
    expect(performance.now() - start).toBeGreaterThan((50 + 100 + 200 + 400) / 2);
  });

  it.each([
    ['it is wrong', { password: RIGHT }, 'WRONGPASS'],
    ['Redis repeats what it does not know', { config: ['rename-command AUTH ""'] }, 'unknown command'],
  ])('shows the password to nobody when %s', async (_when, options, reason) => {
    const server = await startRedis(options);
    const { store, journal } = open(settingsFor(server, { username: 'gateway', password: WRONG }));
    const failures = [await failureOf(store.read(['a'])), await failureOf(store.add(CHARGE))];
    await journal.until(/still cannot be reached/);
    expect(seen(failures, journal.lines)).not.toContain(WRONG);
    expect(journal.lines[0]).toMatchObject({
      level: 'warn',
      data: { redis: `127.0.0.1:${server.port}`, reason: expect.stringContaining(reason) },
    });
  });
});

describeWithRedis('a Redis password with $secret:// in it', () => {
  it('is what host.secret answers, also in the midst of a longer text', async () => {
    const server = await startRedis({ password: 'before-from-vault' });
    const asked: string[] = [];
    const { store } = open(
      settingsFor(server, { password: 'before-$secret://vault/redis' }),
      async (reference) => {
        asked.push(reference);
        return 'from-vault';
      },
    );
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
    expect(asked).toEqual(['$secret://vault/redis']);
  });

  it('is asked for afresh once it has been refused', async () => {
    const server = await startRedis({ password: RIGHT });
    const answers = [WRONG, WRONG, RIGHT];
    const { store, journal } = open(
      settingsFor(server, { password: '$secret://vault/redis' }),
      () => answers.shift() ?? RIGHT,
    );
    await journal.until(/can be reached again/);
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
  });

  it('shows neither what host.secret answered nor what it threw', async () => {
    const server = await startRedis({ password: RIGHT });
    const refused = open(settingsFor(server, { password: '$secret://vault/redis' }), () => WRONG);
    const thrown = open(settingsFor(server, { password: '$secret://vault/redis' }), () => {
      throw new Error(`token ${WRONG}`);
    });
    const failures = [await failureOf(refused.store.read(['a'])), await failureOf(thrown.store.read(['a']))];
    expect(failures[1]?.message).toContain('$secret://vault/redis');
    expect(seen(failures, refused.journal.lines, thrown.journal.lines)).not.toContain(WRONG);
  });

  it('fails in time when host.secret never answers', async () => {
    const server = await startRedis({ password: RIGHT });
    const settings = settingsFor(server, { password: '$secret://vault/redis', timeout: 100 });
    const { store } = open(settings, () => new Promise(() => {}));
    await expect(store.read(['a'])).rejects.toThrow(/looked up in time|within 100 ms/);
  });
});

describeWithRedis('Redis over TLS', () => {
  it('is trusted without a look at its certificate where the settings say so', async () => {
    const { store } = open(settingsFor(await startRedis({ tls: true }), { ssl: true, sslVerify: false }));
    await store.add(CHARGE);
    expect((await store.read(['a']))[0]?.used).toBe(1);
  });

  it('is refused when its certificate is nobody’s', async () => {
    const { store } = open(settingsFor(await startRedis({ tls: true }), { ssl: true, sslVerify: true }));
    await expect(store.read(['a'])).rejects.toThrow('self-signed certificate');
  });

  it('is not spoken to in the clear, and the failure does not hang', async () => {
    const { store } = open(settingsFor(await startRedis({ tls: true })));
    await expect(store.read(['a'])).rejects.toThrow('cannot be reached');
  });
});
