import { describe, expect, it } from 'vitest';
import { type App, type InstanceConfig, instance, post, startApp } from '../support/app.ts';
import { errorCode } from '../support/broken-upstreams.ts';
import { echoModel, startUpstream, type Upstream } from '../support/upstream.ts';

const byHeader = { header: { Authorization: 'Bearer $secret://vault/key' } };

interface Started {
  readonly app: App;
  readonly first: Upstream;
  readonly second: Upstream;
}

/** Two instances, of which the first takes its credentials from `secret`. */
async function start(
  secret: (reference: string) => string | Promise<string>,
  { auth = byHeader, fallback = true }: { auth?: InstanceConfig['auth']; fallback?: boolean } = {},
): Promise<Started> {
  const [first, second] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
  const app = await startApp(
    {
      ...(fallback ? { fallback_strategy: 'http_5xx' as const } : {}),
      instances: [instance('first', first.url, { priority: 1, auth }), instance('second', second.url)],
    },
    { host: { secret } },
  );
  return { app, first, second };
}

/** Everything that anybody gets to see of a request. */
async function seen({ app, second }: Started, answer: Response): Promise<string> {
  const { headers } = answer;
  const text = await answer.text();
  const finished = await app.ended(1);
  const upstream = second.calls.map(({ headers, url, body }) => ({ headers, url, body }));
  return JSON.stringify([[...headers], text, app.logs, finished, app.middleware.status(), upstream]);
}

describe('$secret:// in auth', () => {
  it.each([
    ['at once', () => 'from-vault'],
    ['later', async () => 'from-vault'],
  ])('is what host.secret answers %s', async (_when, secret) => {
    const { app, first } = await start(secret);
    expect((await post(app.url)).status).toBe(200);
    expect(first.calls[0]?.headers.authorization).toBe('Bearer from-vault');
  });

  it('is asked for by its whole reference', async () => {
    const references: string[] = [];
    const { app } = await start((reference) => {
      references.push(reference);
      return 'x';
    });
    await post(app.url);
    expect(references).toEqual(['$secret://vault/key']);
  });

  it('is resolved in auth.query, and encoded there', async () => {
    const { app, first } = await start(() => 'a&b=c\nd', { auth: { query: { key: '$secret://vault/key' } } });
    expect((await post(app.url)).status).toBe(200);
    const url = new URL(first.calls[0]?.url ?? '', first.url);
    expect([...url.searchParams]).toEqual([['key', 'a&b=c\nd']]);
  });

  it('is asked for once, and its answer remembered', async () => {
    let asked = 0;
    const { app, first } = await start(async () => `answer-${++asked}`);
    await Promise.all([post(app.url), post(app.url)]);
    await post(app.url);
    expect(asked).toBe(1);
    expect(first.calls.map((call) => call.headers.authorization)).toEqual(Array(3).fill('Bearer answer-1'));
  });

  it('is asked for again after it failed', async () => {
    let asked = 0;
    const { app, first, second } = await start(() => {
      asked++;
      if (asked === 1) throw new Error('sealed');
      return 'opened';
    });
    await post(app.url);
    expect(second.calls).toHaveLength(1);
    await post(app.url);
    expect(first.calls[0]?.headers.authorization).toBe('Bearer opened');
  });
});

const failing: readonly [string, () => string | Promise<string>][] = [
  [
    'throws',
    () => {
      throw new Error('token hunter2 is wrong');
    },
  ],
  ['rejects', () => Promise.reject(new Error('token hunter2 is wrong'))],
  ['answers with a line break in a header', () => 'hunter2\r\nX-Injected: 1'],
  ['answers with a character no header may hold', () => 'hunter2\u0000'],
  ['answers with a letter beyond latin1', () => 'hunter2日'],
];

describe.each(failing)('a host.secret that %s', (_what, secret) => {
  it('moves the request on to the next instance, and shows nothing', async () => {
    const started = await start(secret);
    const answer = await post(started.app.url);
    expect(answer.status).toBe(200);
    expect(started.first.connections).toBe(0);
    expect(await seen(started, answer)).not.toContain('hunter2');
    expect(started.app.logs.map(({ data }) => data.instance)).toContain('first');
  });

  it('is answered with 502 without a strategy, and shows nothing', async () => {
    const started = await start(secret, { fallback: false });
    const answer = await post(started.app.url);
    expect(answer.status).toBe(502);
    expect(errorCode(await answer.clone().json())).toBeDefined();
    expect(await seen(started, answer)).not.toContain('hunter2');
    expect(started.app.middleware.status()).toMatchObject({
      in_flight: 0,
      instances: [{ in_flight: 0 }, {}],
    });
  });
});

it('a secret that never comes does not outlive its client', async () => {
  const { app } = await start(() => new Promise<string>(() => {}));
  const leaving = new AbortController();
  const answer = post(app.url, undefined, { signal: leaving.signal }).catch(() => 'left');
  while (app.middleware.status().in_flight === 0) await new Promise(setImmediate);
  leaving.abort();
  expect(await answer).toBe('left');
  expect((await app.ended(1))[0]?.llm_outcome).toBe('client_gone');
  await app.middleware.close();
});
