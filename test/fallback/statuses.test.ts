import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import { failures, startRawUpstream } from '../support/broken-upstreams.ts';
import { ownPort } from '../support/own-port.ts';
import { answerJson, echoModel, startUpstream, type Upstream } from '../support/upstream.ts';

const startFailing = (status: number): Promise<Upstream> =>
  startUpstream((_call, res) => answerJson(res, status, { status }));

describe('fallback_http_statuses', () => {
  it('moves on after a listed status without a fallback_strategy', async () => {
    const [bad, good] = [await startFailing(401), await startUpstream(echoModel())];
    const app = await startApp({
      fallback_http_statuses: [401],
      instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
    });
    expect((await post(app.url)).status).toBe(200);
  });

  it('answers as it is with a status that is neither listed nor in the strategy', async () => {
    const [bad, good] = [await startFailing(500), await startUpstream(echoModel())];
    const app = await startApp({
      fallback_http_statuses: [401, 403],
      fallback_strategy: ['http_429'],
      instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
    });
    expect((await post(app.url)).status).toBe(500);
    expect(good.calls).toHaveLength(0);
  });

  it('502 moves on after a connection that failed', async () => {
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_http_statuses: [502],
      instances: [
        instance('bad', `http://127.0.0.1:${await ownPort()}`, { priority: 1 }),
        instance('good', good.url),
      ],
    });
    expect((await post(app.url)).status).toBe(200);
  });

  it('504 moves on after a time-out, and after nothing else', async () => {
    const silent = await startRawUpstream(failures['says nothing']);
    const broken = await startRawUpstream(failures['closes the connection before the head']);
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_http_statuses: [504],
      timeout: 500,
      instances: [
        instance('silent', silent.url, { priority: 2 }),
        instance('broken', broken.url, { priority: 1 }),
        instance('good', good.url),
      ],
    });
    expect((await post(app.url)).status).toBe(502);
    expect(broken.requests).toHaveLength(1);
    expect(good.calls).toHaveLength(0);
  });

  it('can list a status that a client caused, such as 400', async () => {
    const [bad, good] = [await startFailing(400), await startUpstream(echoModel())];
    const app = await startApp({
      fallback_http_statuses: [400],
      instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
    });
    expect((await post(app.url)).status).toBe(200);
  });

  it('does not make a failure of an answer that the gateway itself refuses', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({
      fallback_http_statuses: [400],
      instances: [instance('a', upstream.url), instance('b', upstream.url)],
    });
    expect((await post(app.url, '{"messages":')).status).toBe(400);
    expect(upstream.calls).toHaveLength(0);
  });
});

it.each([
  [429, 'instance_health_and_rate_limiting'],
  [500, 'instance_health_and_rate_limiting'],
  [429, ['rate_limiting']],
  [500, ['rate_limiting']],
] as const)(
  'a %i is not moved on from by the strategy %j, which is about quotas',
  async (status, strategy) => {
    const [bad, good] = [await startFailing(status), await startUpstream(echoModel())];
    const app = await startApp({
      fallback_strategy: typeof strategy === 'string' ? strategy : [...strategy],
      instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
    });
    expect((await post(app.url)).status).toBe(status);
    expect(good.calls).toHaveLength(0);
  },
);

it('a failed answer whose body never comes does not hold up the next instance', async () => {
  const bad = await startRawUpstream((socket) =>
    socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\n'),
  );
  const good = await startUpstream(echoModel());
  // The default time-out of 30 s is longer than this test may take.
  const app = await startApp({
    fallback_strategy: 'http_5xx',
    instances: [instance('bad', bad.url, { priority: 1 }), instance('good', good.url)],
  });
  expect((await post(app.url)).status).toBe(200);
});
