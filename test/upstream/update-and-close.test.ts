import { once } from 'node:events';
import { ConfigError } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { answerJson, echoModel, startUpstream, type Upstream } from '../support/upstream.ts';

/** Resolves when no connection to it is open. */
async function deserted({ sockets }: Upstream): Promise<void> {
  for (const socket of sockets) await once(socket, 'close');
}

describe('update()', () => {
  it('serves the next request by the new configuration', async () => {
    const [before, after] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const app = await startApp({ instances: [instance('before', before.url)] });
    expect(await (await post(app.url)).json()).toMatchObject({ model: 'model-before' });
    app.middleware.update({ instances: [instance('after', after.url)] });
    expect(await (await post(app.url)).json()).toMatchObject({ model: 'model-after' });
    expect(before.calls).toHaveLength(1);
  });

  it('lets a request under way finish by the old one, its fallbacks included', async () => {
    const holding = await startHolding();
    const [oldFallback, after] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const app = await startApp({
      // What the upstream holds back is a failure to this configuration alone.
      fallback_strategy: 'http_5xx',
      timeout: 30_000,
      instances: [instance('held', holding.url, { priority: 1 }), instance('old', oldFallback.url)],
    });
    const answer = post(app.url);
    await holding.holding(1);
    app.middleware.update({ instances: [instance('after', after.url)] });
    for (const socket of holding.sockets) socket.resetAndDestroy();
    expect(await (await answer).json()).toMatchObject({ model: 'model-old' });
    expect(after.calls).toHaveLength(0);
    expect((await app.ended(1))[0]?.llm_attempts).toMatchObject([
      { instance: 'held', error: 'upstream_reset' },
      { instance: 'old', status: 200 },
    ]);
  });

  it("closes the old configuration's idle connections at once", async () => {
    const [before, after] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const app = await startApp({ instances: [instance('before', before.url)] });
    await (await post(app.url)).text();
    expect(before.sockets.size).toBe(1);
    app.middleware.update({ instances: [instance('after', after.url)] });
    await deserted(before);
  });

  it("closes the old configuration's busy connections when they become idle", async () => {
    const holding = await startHolding();
    holding.server.keepAliveTimeout = 0;
    const app = await startApp({ instances: [instance('a', holding.url)] });
    const answer = post(app.url);
    await holding.holding(1);
    app.middleware.update({ instances: [instance('a', holding.url)] });
    holding.release();
    expect((await answer).status).toBe(200);
    await deserted(holding);
  });

  it('with an invalid configuration throws and changes nothing', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    await (await post(app.url)).text();
    const before = app.middleware.status();
    const invalid: Parameters<typeof app.middleware.update>[0] = {
      instances: [instance('same', upstream.url), instance('same', upstream.url)],
    };
    expect(() => app.middleware.update(invalid)).toThrow(ConfigError);
    expect(app.middleware.status()).toEqual(before);
    expect((await post(app.url)).status).toBe(200);
    expect(upstream.connections).toBe(1);
  });

  it('begins counting anew', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    await (await post(app.url)).text();
    app.middleware.update({ instances: [instance('a', upstream.url)] });
    expect(app.middleware.status().instances[0]?.attempts).toBe(0);
  });

  it('does not keep what its caller changes afterwards', async () => {
    const upstream = await startUpstream(echoModel());
    const config = { instances: [instance('a', upstream.url)] satisfies [unknown] };
    const app = await startApp(config);
    app.middleware.update(config);
    config.instances[0].options = { model: 'changed' };
    expect(await (await post(app.url)).json()).toMatchObject({ model: 'model-a' });
  });
});

describe('close()', () => {
  it('closes idle connections, and resolves at once where no request is under way', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    await (await post(app.url)).text();
    await app.middleware.close();
    await deserted(upstream);
  });

  it('waits for requests under way, which finish, and then closes their connections', async () => {
    const holding = await startHolding();
    holding.server.keepAliveTimeout = 0;
    const app = await startApp({ instances: [instance('a', holding.url)] });
    const order: string[] = [];
    const answer = post(app.url);
    await holding.holding(1);
    const closed = app.middleware.close().then(() => order.push('closed'));
    await new Promise(setImmediate);
    order.push('released');
    holding.release();
    expect(await (await answer).json()).toMatchObject({ model: 'held' });
    await closed;
    expect(order).toEqual(['released', 'closed']);
    await deserted(holding);
  });

  it('waits for requests of an earlier configuration as well', async () => {
    const holding = await startHolding();
    const app = await startApp({ instances: [instance('a', holding.url)] });
    const answer = post(app.url);
    await holding.holding(1);
    app.middleware.update({ instances: [instance('b', holding.url)] });
    let isClosed = false;
    const closed = app.middleware.close().then(() => {
      isClosed = true;
    });
    await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    holding.release();
    await answer;
    await closed;
  });

  it('can be called twice', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    await Promise.all([app.middleware.close(), app.middleware.close()]);
  });
});

describe('a request that falls back', () => {
  it('while the configuration is replaced between its attempts ends by the old one', async () => {
    const bad = await startUpstream((_call, res) => answerJson(res, 500, {}));
    const [old, after] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const app = await startApp(
      {
        fallback_strategy: 'http_5xx',
        instances: [instance('bad', bad.url, { priority: 1 }), instance('old', old.url)],
      },
      {
        host: {
          onAttempt: () => app.middleware.update({ instances: [instance('after', after.url)] }),
        },
      },
    );
    expect(await (await post(app.url)).json()).toMatchObject({ model: 'model-old' });
    expect(after.calls).toHaveLength(0);
  });
});
