import { describe, expect, it } from 'vitest';
import {
  answerJson,
  chatEvent,
  doneEvent,
  echoModel,
  type Script,
  startUpstream,
  type Upstream,
} from '../support/upstream.ts';
import {
  alias,
  failWith,
  inTurn,
  type RouterOptions,
  type Routing,
  servedBy,
  shortStream,
  startRouter,
  type TargetConfig,
  target,
} from './router-app.ts';

type Model = Partial<TargetConfig['model']>;

/** An upstream that notes when it was asked, in milliseconds. */
async function startTimed(script: Script): Promise<Upstream & { readonly times: readonly number[] }> {
  const times: number[] = [];
  const upstream = await startUpstream((call, res, req) => {
    times.push(performance.now());
    return script(call, res, req);
  });
  return Object.assign(upstream, { times });
}

/** How long after the first request the others came. */
function waited({ times }: { readonly times: readonly number[] }): number {
  return (times.at(-1) ?? 0) - (times[0] ?? 0);
}

/** Fails at once, and asks to come again at once. */
const failAtOnce = failWith(503, { 'retry-after-ms': '1' });

interface Setting {
  readonly model?: Model;
  readonly routing?: Partial<Routing>;
  readonly host?: RouterOptions['host'];
}

/** An alias of one target. */
async function startOne(script: Script, { model = {}, routing = {}, host = {} }: Setting) {
  const upstream = await startTimed(script);
  const app = await startRouter(
    { targets: [target('one', upstream, model)], aliases: [alias('chat', ['one'], routing)] },
    { host },
  );
  return { app, upstream };
}

describe('a target is tried again', () => {
  it.each([
    ['never, by default', {}, 1],
    ['as often as its own retries say', { model: { retries: 2 } }, 3],
    ['as often as the retries of the alias say', { routing: { retries: 1 } }, 2],
    [
      'by its own retries rather than those of the alias',
      { model: { retries: 0 }, routing: { retries: 2 } },
      1,
    ],
    [
      "as often as the host's defaults say, where nothing else does",
      { host: { defaults: { retries: 2 } } },
      3,
    ],
    [
      'by the configuration rather than the defaults',
      { routing: { retries: 0 }, host: { defaults: { retries: 2 } } },
      1,
    ],
  ] satisfies [string, Setting, number][])('%s', async (_when, setting, count) => {
    const { app, upstream } = await startOne(failAtOnce, setting);
    expect((await app.ask('chat')).status).toBe(502);
    expect(upstream.calls).toHaveLength(count);
  });

  it.each([{}, { stream: true }])('and its success is the answer (%j)', async (more) => {
    const script = inTurn(failAtOnce, 'stream' in more ? shortStream : echoModel());
    const { app, upstream } = await startOne(script, { routing: { retries: 1 } });
    const answer = await app.ask('chat', more);
    expect(answer.status).toBe(200);
    expect(servedBy(answer)).toBe('one');
    expect(upstream.calls).toHaveLength(2);
    expect(upstream.calls[0]?.body).toBe(upstream.calls[1]?.body);
    expect(app.finished[0]?.llm_attempts).toMatchObject([
      { instance: 'one', status: 503 },
      { instance: 'one', status: 200 },
    ]);
  });

  it('and the log says so, and not that the request moves on', async () => {
    const { app } = await startOne(inTurn(failAtOnce, echoModel()), { routing: { retries: 1 } });
    expect((await app.ask('chat')).status).toBe(200);
    expect(app.logs.map(({ message }) => message)).toEqual(['an instance failed; it is tried again']);
  });

  it('where it is asked for directly as well', async () => {
    const { app, upstream } = await startOne(inTurn(failAtOnce, echoModel()), { model: { retries: 1 } });
    expect((await app.ask('one')).status).toBe(200);
    expect(upstream.calls).toHaveLength(2);
  });

  it("by the host's defaults where it is asked for directly", async () => {
    const { app, upstream } = await startOne(failAtOnce, { host: { defaults: { retries: 1 } } });
    await app.ask('one');
    expect(upstream.calls).toHaveLength(2);
  });

  it.each([
    ['not after a 429', failWith(429, { 'retry-after-ms': '1' }), { retries: 2 }, 1],
    [
      'after a 429 with retry_on_429',
      failWith(429, { 'retry-after-ms': '1' }),
      { retries: 2, retry_on_429: true },
      3,
    ],
    [
      'after a 404 that is in fallback_on_statuses',
      failWith(404, { 'retry-after-ms': '1' }),
      { retries: 1, fallback_on_statuses: [404] },
      2,
    ],
    ['not after a 400', failWith(400), { retries: 2 }, 1],
  ] satisfies [string, Script, Partial<Routing>, number][])('%s', async (_when, script, routing, count) => {
    const { app, upstream } = await startOne(script, { routing });
    await app.ask('chat');
    expect(upstream.calls).toHaveLength(count);
  });

  it('before the next target is asked, and then that one is, without a wait', async () => {
    const order: string[] = [];
    const noting =
      (name: string, script: Script): Script =>
      (call, res, req) => {
        order.push(name);
        return script(call, res, req);
      };
    const [first, second] = [
      await startUpstream(noting('first', failAtOnce)),
      await startUpstream(noting('second', echoModel())),
    ];
    const app = await startRouter({
      targets: [target('first', first), target('second', second)],
      aliases: [alias('chat', ['first', 'second'], { retries: 1, max_fallbacks: 1, retry_on_429: true })],
    });
    expect(servedBy(await app.ask('chat'))).toBe('second');
    expect(order).toEqual(['first', 'first', 'second']);
  });

  it("not by the host's defaults while another target is there to be asked", async () => {
    const [first, second] = [await startUpstream(failAtOnce), await startUpstream(failAtOnce)];
    const app = await startRouter(
      {
        targets: [target('first', first), target('second', second)],
        aliases: [alias('chat', ['first', 'second'])],
      },
      { host: { defaults: { retries: 2 } } },
    );
    await app.ask('chat');
    expect(first.calls).toHaveLength(1);
    expect(second.calls).toHaveLength(3);
  });

  it('after a time-out only where retries are configured', async () => {
    const configured = await startOne(() => {}, { model: { timeout: 100, retries: 1 } });
    const byDefault = await startOne(() => {}, {
      model: { timeout: 100 },
      host: { defaults: { retries: 1 } },
    });
    expect((await configured.app.ask('chat')).status).toBe(504);
    expect((await byDefault.app.ask('chat')).status).toBe(504);
    expect(configured.upstream.calls).toHaveLength(2);
    expect(byDefault.upstream.calls).toHaveLength(1);
  });
});

describe('between two tries of a target', () => {
  it.each([{}, { stream: true }])('250 ms pass, then 500 (%j)', async (more) => {
    const { app, upstream } = await startOne(failWith(503), { routing: { retries: 2 } });
    await app.ask('chat', more);
    expect(upstream.calls).toHaveLength(3);
    expect(waited(upstream)).toBeGreaterThanOrEqual(749);
  });

  it("the upstream's retry-after passes in place of them", async () => {
    const { app, upstream } = await startOne(failWith(503, { 'retry-after': '1' }), {
      routing: { retries: 1 },
    });
    await app.ask('chat');
    expect(waited(upstream)).toBeGreaterThanOrEqual(999);
  });

  it('a retry-after of more than 5 s is not waited for', async () => {
    const { app, upstream } = await startOne(failWith(503, { 'retry-after': '6' }), {
      routing: { retries: 1 },
    });
    await app.ask('chat');
    expect(upstream.calls).toHaveLength(2);
    expect(waited(upstream)).toBeLessThan(5000);
  });

  it('a client that hangs up ends the wait, and nothing more is sent', async () => {
    const { app, upstream } = await startOne(failWith(503, { 'retry-after': '1' }), {
      routing: { retries: 1 },
    });
    const leaving = new AbortController();
    const asked = app.send('chat', {}, { signal: leaving.signal });
    asked.catch(() => {});
    await expect.poll(() => app.state('one').status).toBe('cooldown');
    leaving.abort();
    await expect.poll(() => app.finished.length).toBe(1);
    expect(app.finished[0]).toMatchObject({ llm_outcome: 'client_gone' });
    // The second request would be there by the time that another wait of this length is over.
    await app.ask('chat');
    expect(upstream.calls).toHaveLength(3);
  });

  it('close() waits for the request', async () => {
    const { app, upstream } = await startOne(inTurn(failAtOnce, echoModel()), { routing: { retries: 1 } });
    const asked = app.ask('chat');
    await expect.poll(() => upstream.calls.length).toBeGreaterThan(0);
    await app.router.close();
    expect((await asked).status).toBe(200);
  });
});

describe('timeout', () => {
  it.each([
    ['of the target', { timeout: 100 }, {}],
    ['of the alias, where the target has none', {}, { timeout: 100 }],
    ['of the target rather than of the alias', { timeout: 100 }, { timeout: 60_000 }],
  ])('%s bounds a plain answer', async (_whose, model, ofAlias) => {
    const upstream = await startUpstream(() => {});
    const app = await startRouter({
      targets: [target('one', upstream, model)],
      aliases: [alias('chat', ['one'], {}, ofAlias)],
    });
    expect((await app.ask('chat')).status).toBe(504);
  });

  it('bounds the whole of a plain answer, however busy', async () => {
    const upstream = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => res.write(' '), 20);
      res.on('close', () => clearInterval(timer));
    });
    const app = await startRouter({ targets: [target('one', upstream, { timeout: 200 })] });
    expect((await app.ask('one')).status).toBe(504);
  });

  it('of 0 ends the search: the alias has no say, and there is none', async () => {
    const upstream = await startUpstream((_call, res) => {
      setTimeout(() => answerJson(res, 200, { model: 'm' }), 150);
    });
    const app = await startRouter({
      targets: [target('one', upstream, { timeout: 0 })],
      aliases: [alias('chat', ['one'], {}, { timeout: 50 })],
    });
    expect((await app.ask('chat')).status).toBe(200);
  });

  it('is not the length of a stream', async () => {
    const upstream = await startUpstream((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      let count = 0;
      const timer = setInterval(() => {
        res.write(chatEvent('x'));
        if (++count < 12) return;
        clearInterval(timer);
        res.end(doneEvent);
      }, 100);
    });
    const app = await startRouter({ targets: [target('one', upstream, { timeout: 900 })] });
    const answer = await app.ask('one', { stream: true });
    expect(answer.text).toContain('[DONE]');
  });

  it.each([
    ['stream_timeout of the target', { stream_timeout: 100, timeout: 60_000 }, {}],
    ['stream_timeout of the alias', { timeout: 60_000 }, { stream_timeout: 100 }],
    ['timeout where there is no stream_timeout', { timeout: 100 }, {}],
    ['timeout where stream_timeout is 0', { timeout: 100, stream_timeout: 0 }, {}],
  ])(
    '%s bounds the silence before the first chunk, after which the next target is asked',
    async (_whose, model, ofAlias) => {
      const first = await startUpstream((_call, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(': waiting\n\n');
      });
      const second = await startUpstream(shortStream);
      const app = await startRouter({
        targets: [target('first', first, model), target('second', second)],
        aliases: [alias('chat', ['first', 'second'], {}, ofAlias)],
      });
      const answer = await app.ask('chat', { stream: true });
      expect(servedBy(answer)).toBe('second');
      expect(answer.text).toContain('[DONE]');
    },
  );
});
