import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import { errorCode } from '../support/broken-upstreams.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';

const bySecret = { header: { Authorization: 'Bearer $secret://vault/key' } };

describe('an instance whose credentials cannot be resolved', () => {
  it.each([
    ['never come', () => new Promise<string>(() => {})],
    ['hold a line break', () => 'hunter2\n'],
  ])('is answered for with credentials_unavailable when they %s', async (_what, secret) => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp(
      { timeout: 100, instances: [instance('a', upstream.url, { auth: bySecret })] },
      { host: { secret } },
    );
    const answer = await post(app.url);
    expect(answer.status).toBe(502);
    expect(errorCode(await answer.json())).toBe('credentials_unavailable');
    expect(upstream.calls).toHaveLength(0);
    expect(app.logs.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('is the one that the variables and the counters name', async () => {
    const failing = await startUpstream((_call, res) => answerJson(res, 500, {}));
    const app = await startApp(
      {
        fallback_strategy: 'http_5xx',
        instances: [
          instance('failing', failing.url, { priority: 1 }),
          instance('keyless', failing.url, { auth: bySecret }),
        ],
      },
      { host: { secret: () => Promise.reject(new Error('no')) } },
    );
    await post(app.url);
    const [finish] = await app.ended(1);
    expect(finish).toMatchObject({
      llm_instance: 'keyless',
      llm_time_to_first_token: 0,
      llm_attempts: [
        { instance: 'failing', status: 500 },
        { instance: 'keyless', error: 'credentials_unavailable' },
      ],
    });
    expect(app.middleware.status().instances[1]).toMatchObject({ attempts: 1, failures: { other: 1 } });
  });
});

it('a failed connection that is answered is in the log with its cause', async () => {
  const gone = await startUpstream(echoModel());
  await gone.close();
  const app = await startApp({ instances: [instance('a', gone.url)] });
  expect((await post(app.url)).status).toBe(502);
  expect(app.logs).toMatchObject([
    { level: 'warn', data: { instance: 'a', error: 'upstream_unreachable', detail: 'ECONNREFUSED' } },
  ]);
});

it('a host.vars that throws leaves the choice to the address of the client', async () => {
  const upstream = await startUpstream(echoModel());
  const app = await startApp(
    {
      balancer: { algorithm: 'chash', key: 'tenant' },
      instances: [instance('a', upstream.url), instance('b', upstream.url)],
    },
    {
      host: {
        vars: () => {
          throw new Error('no tenant');
        },
      },
    },
  );
  expect((await post(app.url)).status).toBe(200);
  expect(app.logs).toMatchObject([{ level: 'error', data: { hook: 'vars', reason: 'no tenant' } }, {}]);
});
