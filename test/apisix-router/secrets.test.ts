import { apisixRouter, ConfigError, type Host } from 'ai-proxy-multi';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { everythingOf, expectNoSecretIn, MARK, secretInstance } from '../secrets/witness.ts';
import { serve } from '../support/app.ts';
import { ownPort } from '../support/own-port.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';
import { asRouterConfig, keepLog, openRouter, routeTo, send } from './routing.ts';

const key = `${MARK}-of-jane`;
const redis = { policy: 'redis', redis_host: '127.0.0.1', redis_password: `${MARK}-of-redis` };

/** Everything a router lets out beside its answers: logs, hooks, variables, status. */
function startWatching() {
  const log = keepLog();
  const noticed: unknown[] = [log.lines];
  const host: Host = {
    ...log.host,
    secret: () => `sk-${MARK}-in-a-vault`,
    onAttempt: (attempt) => noticed.push(attempt),
    onFinish: (finish) => noticed.push(finish),
  };
  return { host, noticed, seen: () => everythingOf(noticed) };
}

describe('no secret of a router is seen', () => {
  it.each<[string, object]>([
    [
      'a plugin',
      {
        routes: [
          {
            uri: '/a',
            plugins: { 'ai-proxy': { provider: 'opnai', auth: { header: { Authorization: key } } } },
          },
        ],
      },
    ],
    [
      'a key that two have',
      {
        routes: [],
        consumers: [
          { username: 'a', plugins: { 'key-auth': { key } } },
          { username: 'b', credentials: [{ plugins: { 'key-auth': { key } } }] },
        ],
      },
    ],
    [
      'a key that is no text',
      { routes: [], consumers: [{ username: 'a', plugins: { 'key-auth': { key: [key] } } }] },
    ],
    [
      'a key in a wrong place',
      { routes: [], consumers: [{ username: 'a', plugins: { 'key-auth': key } }, key] },
    ],
    [
      'a key on a route',
      {
        routes: [
          {
            uri: '/a',
            plugins: { 'key-auth': { key, realm: 5 }, 'ai-proxy': { provider: 'openai', auth: key } },
          },
        ],
      },
    ],
    [
      'a password',
      {
        routes: [
          {
            uri: '/a',
            plugins: {
              'ai-proxy': { provider: 'openai', auth: {} },
              'ai-rate-limiting': { ...redis, limit: 0, time_window: 60 },
            },
          },
        ],
      },
    ],
    [
      "a consumer's password",
      {
        routes: [],
        consumers: [
          { username: 'a', plugins: { 'ai-rate-limiting': { ...redis, limit: 0, time_window: 60 } } },
        ],
      },
    ],
    [
      'a secret of an unknown kind',
      {
        routes: [
          {
            uri: '/a',
            plugins: {
              'jwt-auth': { secret: key },
              'ai-proxy': { provider: 'openai', auth: { basic: key } },
            },
          },
        ],
      },
    ],
    [
      'a client certificate',
      { routes: [], upstreams: [{ id: 'u', nodes: { 'a:1': 1 }, tls: { client_key: key } }] },
    ],
  ])('in what is said about %s', (_what, config) => {
    const { host, noticed } = startWatching();
    try {
      apisixRouter(asRouterConfig(config), host);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      noticed.push(error);
    }
    expect(noticed).toHaveLength(2);
    expectNoSecretIn(everythingOf(noticed));
  });

  it('in logs, hooks, variables and status, while requests are served, refused and failed', async () => {
    vi.stubEnv('JANES_KEY', key);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const good = await startUpstream(echoModel());
    const bad = await startUpstream(({ headers }, res) =>
      answerJson(res, 500, { error: { message: `${headers.authorization} is wrong` } }),
    );
    const refusing = `http://127.0.0.1:${await ownPort()}`;
    const limits = { limit: 10, time_window: 60 };
    const instances: [ReturnType<typeof secretInstance>, ...ReturnType<typeof secretInstance>[]] = [
      secretInstance('bad', bad.url, { priority: 3 }),
      secretInstance('refusing', refusing, { priority: 2 }),
      secretInstance('good', good.url),
    ];
    const { host, noticed, seen } = startWatching();
    const router = openRouter(
      {
        routes: [
          routeTo(
            good.url,
            'a',
            { uri: '/a' },
            {
              'key-auth': { hide_credentials: true },
              'ai-rate-limiting': limits,
              'ai-proxy-multi': {
                fallback_strategy: ['rate_limiting', 'http_5xx'],
                instances,
                logging: { summaries: true, payloads: true },
              },
            },
          ),
          { uri: '/b', plugins: { 'ai-proxy': { upstream_id: 'bad', upstream_fallback_id: 'good' } } },
        ],
        consumers: [
          { username: 'jane', plugins: { 'key-auth': { key: '$env://JANES_KEY' } } },
          { username: 'john', plugins: { 'key-auth': { key: '$secret://vault/john' } } },
        ],
        upstreams: [
          { id: 'bad', nodes: { [new URL(bad.url).host]: 1 } },
          { id: 'good', nodes: { [new URL(good.url).host]: 1 } },
        ],
      },
      host,
    );
    const { port } = await serve((req, res) => {
      res.on('close', () => noticed.push('locals' in res ? res.locals : undefined, res.getHeaders()));
      router(req, res);
    });
    const answers = [
      await send(port, '/a', { headers: { apikey: key } }),
      await send(port, `/a?apikey=${key}`),
      await send(port, '/a', { headers: { apikey: `sk-${MARK}-in-a-vault` } }),
      await send(port, '/a', { headers: { apikey: `${MARK}-of-nobody` } }),
      await send(port, `/elsewhere?apikey=${key}`),
      await send(port, '/b', { headers: { authorization: `Bearer sk-${MARK}-of-the-caller` } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 502, 502, 401, 404, 200]);
    noticed.push(
      router.status(),
      answers.map(({ headers, text }) => [headers, text]),
    );

    expect(seen()).toContain('bad');
    expectNoSecretIn(seen());
  });

  it('by looking into the router', () => {
    const { host } = startWatching();
    const router = openRouter(
      {
        routes: [routeTo('http://127.0.0.1:1', 'a', {}, { 'key-auth': {} })],
        consumers: [{ username: 'jane', plugins: { 'key-auth': { key } } }],
      },
      host,
    );
    expectNoSecretIn(everythingOf([router, router.status()]));
  });
});
