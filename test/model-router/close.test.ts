import { once } from 'node:events';
import { describe, expect, inject, it } from 'vitest';
import { run } from '../package/installed-package.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { defer } from './admin/deferred.ts';
import { asConfig, keyAt, modelOf, startLive, startPair, startVendor } from './live-router.ts';

function runProcess(url: string, what: string) {
  return run(process.execPath, ['test/model-router/exiting-process.js', url, what], inject('checkout'));
}

describe('a process with a router ends by itself', () => {
  it.each([
    ['once it is closed', 'closed', '200\n'],
    ['though it is never closed, between background checks and with an idle socket', 'open', '200\n'],
    ['though its store never answers', 'store', ''],
  ])(
    '%s',
    async (_what, left, stdout) => {
      const vendor = await startVendor('one');
      expect(await runProcess(vendor.url, left)).toEqual({ code: 0, stdout, stderr: '' });
    },
    90_000,
  );
});

describe('close()', () => {
  it('closes the sockets that are idle', async () => {
    const { live, one, two } = await startPair();
    await live.chat('one');
    await live.chat('two');
    const closed = [...one.sockets, ...two.sockets].map((socket) => once(socket, 'close'));
    expect(closed).toHaveLength(2);
    await live.router.close();
    await Promise.all(closed);
  });

  it('waits for the requests under way, whose sockets close after them', async () => {
    const holding = await startHolding();
    const config = { provider_keys: [keyAt('one', holding.url)], models: [modelOf('one')] };
    const live = await startLive(config);
    const asked = live.chat('one');
    await holding.holding(1);
    const [socket] = holding.sockets;
    const gone = socket && once(socket, 'close');
    let isClosed = false;
    const closing = live.router.close().then(() => {
      isClosed = true;
    });
    await fetch(`${live.url}/v1/models`);
    expect(isClosed).toBe(false);
    holding.release();
    expect((await asked).status).toBe(200);
    await closing;
    await gone;
  });

  it('can be called twice, and requests that come later are still served', async () => {
    const { live } = await startPair();
    await live.router.close();
    await live.router.close();
    expect(await live.whoServes()).toBe('one');
  });

  it.each(['update()', 'the admin API', 'the store'])(
    'is for what comes later from %s, too',
    async (what) => {
      const one = await startVendor('one');
      const loading = defer();
      const check = { enabled: true, interval_seconds: 5 };
      const config = { provider_keys: [keyAt('one', one.url)], models: [modelOf('one')] };
      const checked = { ...config, models: [modelOf('one', { background_model_check: check })] };
      const store = { load: () => loading.promise.then(() => checked), save: async () => {} };
      const live = await startLive(config, what === 'the store' ? { host: { store } } : {});
      await live.router.close();
      if (what === 'update()') live.router.update(asConfig(checked));
      loading.resolve();
      if (what === 'the admin API') {
        const model = modelOf('two', { provider_key_id: 'one', background_model_check: check });
        expect((await live.admin('POST', 'models', model)).status).toBe(200);
      }
      expect((await live.chat('one')).status).toBe(200);
      // Without pooled sockets, and without a background check, which would have come first.
      expect(one.calls.map(({ body }) => JSON.parse(body).messages[0].content)).toEqual(['Hi']);
      await Promise.all([...one.sockets].map((socket) => once(socket, 'close')));
      expect(one.sockets.size).toBe(0);
    },
  );
});
