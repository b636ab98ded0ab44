import { ConfigError } from 'ai-proxy-multi';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { everythingOf, expectNoSecretIn, MARK, secretAuth, secretInstance, startWitness } from './witness.ts';

afterEach(() => vi.unstubAllEnvs());

describe('host.secret', () => {
  it.each<[string, () => string | Promise<string>]>([
    [
      'throws',
      () => {
        throw new Error(`token ${MARK} has expired`);
      },
    ],
    ['rejects', () => Promise.reject(new Error(`token ${MARK} has expired`))],
    ['rejects with a string', () => Promise.reject(`token ${MARK}`)],
  ])('that %s is answered for with a 502 that says nothing of why', async (_how, secret) => {
    const llm = await startUpstream(echoModel());
    const { ask, seen, logged } = await startWitness(
      { instances: [secretInstance('a', llm.url)] },
      { secret },
    );
    const answer = await ask();
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(await logged(1)).toMatchObject([{ level: 'error', data: { instance: 'a' } }]);
    expect(llm.calls).toEqual([]);
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });

  it('that fails moves the request on to an instance that needs no secret', async () => {
    const llm = await startUpstream(echoModel());
    const { ask, seen } = await startWitness(
      {
        fallback_strategy: ['http_5xx'],
        instances: [
          secretInstance('locked', llm.url, { priority: 1 }),
          secretInstance('open', llm.url, { auth: {} }),
        ],
      },
      { secret: () => Promise.reject(new Error(MARK)) },
    );
    const answer = await ask();
    expect(answer).toContain('x-served-by: open');
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });

  it.each([
    ['a line break', `${MARK}\r\nx-injected: yes`],
    ['a character that no header may hold', `${MARK}\u0000`],
    ['a character outside of Latin-1', `${MARK}€`],
  ])('that answers with %s brings down no request but its own, and is not shown', async (_what, value) => {
    const llm = await startUpstream(echoModel());
    const { ask, seen } = await startWitness(
      { timeout: 500, instances: [secretInstance('a', llm.url)] },
      { secret: () => value },
    );
    const answer = await ask();
    expect(answer).toMatch(/^HTTP\/1\.1 50\d /);
    expect(llm.calls).toEqual([]);
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });
});

describe('what is thrown for a configuration', () => {
  const wrongs: readonly (readonly [string, (endpoint: string) => unknown])[] = [
    ['a misspelt provider', (url) => ({ instances: [{ ...secretInstance('a', url), provider: 'opnai' }] })],
    ['the same name twice', (url) => ({ instances: [secretInstance('a', url), secretInstance('a', url)] })],
    [
      'a variable that is not set',
      (url) => ({
        instances: [
          secretInstance('a', url, { auth: { header: { ...secretAuth().header, b: '$env://UNSET' } } }),
        ],
      }),
    ],
    [
      'a secret where an object belongs',
      () => ({ instances: [{ name: 'a', provider: 'openai', weight: 1, auth: `Bearer ${MARK}` }] }),
    ],
    [
      'a password in the endpoint',
      () => ({ instances: [secretInstance('a', `ftp://user:${MARK}@llm.test`)] }),
    ],
  ];

  it.each(wrongs)('by update() with %s shows no secret, and the old one goes on', async (_what, wrong) => {
    const llm = await startUpstream(echoModel());
    const { ask, seen, app } = await startWitness({ instances: [secretInstance('a', llm.url)] });
    let thrown: unknown;
    try {
      Reflect.apply(app.middleware.update, app.middleware, [wrong(llm.url)]);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigError);
    expectNoSecretIn(everythingOf(thrown));
    expect(await ask()).toContain('x-served-by: a');
    expectNoSecretIn(seen());
  });
});

describe('hooks', () => {
  it('are handed nothing of the secrets, and may throw what they are handed', async () => {
    const llm = await startUpstream((call, res) =>
      res.writeHead(500).end(String(call.headers.authorization)),
    );
    const fail = (record: unknown): never => {
      throw new Error(everythingOf(record));
    };
    const { ask, seen, logged } = await startWitness(
      {
        fallback_strategy: ['http_5xx'],
        instances: [secretInstance('a', llm.url), secretInstance('b', llm.url)],
      },
      { onAttempt: fail, onFinish: fail },
    );
    await ask();
    // Beside the three of the hooks, one line tells of the fallback.
    const hooks = (await logged(4)).flatMap(({ level, data }) => (level === 'error' ? [data.hook] : []));
    expect(hooks).toEqual(['onAttempt', 'onAttempt', 'onFinish']);
    expectNoSecretIn(seen());
  });
});

describe('the middleware itself', () => {
  it('can be printed without showing a secret', async () => {
    const llm = await startUpstream(echoModel());
    const { app } = await startWitness({ instances: [secretInstance('a', llm.url)] });
    expectNoSecretIn(everythingOf(app.middleware));
  });
});
