import { describe, expect, it } from 'vitest';
import { type Routing, startRouting } from './routing.ts';

/** A route for each path, called as the path is. */
function startPaths(...paths: readonly string[]): Promise<Routing> {
  return startRouting((route) => ({
    routes: paths.map((uri, index) => ({
      ...route(`${index}`, { uri }),
    })),
  }));
}

/** The path that takes each target, or the status of the answer. */
async function takers(paths: readonly string[], targets: readonly string[]): Promise<string[]> {
  const { who } = await startPaths(...paths);
  const names: string[] = [];
  for (const target of targets) {
    const name = await who(target);
    names.push(paths[Number(name)] ?? name);
  }
  return names;
}

describe('the path of a route', () => {
  it('takes what is exactly that, in the same letters', async () => {
    const targets = ['/anything', '/anything/', '/anything/x', '/any', '/Anything', '/'];
    expect(await takers(['/anything'], targets)).toEqual(['/anything', '404', '404', '404', '404', '404']);
  });

  it('with a * at its end takes all that begin like it', async () => {
    const targets = ['/llm/chat/completions', '/llm/', '/llm', '/llmx', '/x/llm/'];
    expect(await takers(['/llm/*'], targets)).toEqual(['/llm/*', '/llm/*', '404', '404', '404']);
    expect(await takers(['/gpt-*'], ['/gpt-4', '/gpt-', '/gpt-4/chat', '/gpt'])).toEqual([
      '/gpt-*',
      '/gpt-*',
      '/gpt-*',
      '404',
    ]);
  });

  it.each(['*', '/*'])('%s takes all', async (uri) => {
    expect(await takers([uri], ['/', '/a', '/a/b?c=d'])).toEqual([uri, uri, uri]);
  });

  it('with a * in its middle takes anything at that place', async () => {
    const uri = '/teams/*/chat';
    const targets = ['/teams/a/chat', '/teams/a/b/chat', '/teams/chat', '/teams/a/chats', '/teams/a'];
    expect(await takers([uri], targets)).toEqual([uri, uri, '404', '404', '404']);
  });

  it('can have several *, and the same letters are never counted twice', async () => {
    const uri = '/a/*/b/*/c';
    const targets = ['/a/1/b/2/c', '/a/1/2/b/3/c', '/a/b/c', '/a/1/b/c', '/a/1/b/2/c/d'];
    expect(await takers([uri], targets)).toEqual([uri, uri, '404', '404', '404']);
  });

  it('can end in a *, and have others before', async () => {
    const uri = '/teams/*/chat/*';
    expect(await takers([uri], ['/teams/a/chat/x/y', '/teams/a/chat/', '/teams/a/chat'])).toEqual([
      uri,
      uri,
      '404',
    ]);
  });

  it('may name what a * stands for', async () => {
    const uri = '/teams/*team/chat';
    expect(await takers([uri], ['/teams/a/chat', '/teams/a/b'])).toEqual([uri, '404']);
  });

  it('holds no pattern but *', async () => {
    expect(await takers(['/v1.5/(a|b)'], ['/v1.5/(a|b)', '/v1x5/(a|b)', '/v1.5/a'])).toEqual([
      '/v1.5/(a|b)',
      '404',
      '404',
    ]);
  });

  it('can be one of several', async () => {
    const { who } = await startRouting((route) => ({
      routes: [route('uris', { uris: ['/a', '/b/*'] }), route('paths', { paths: ['/c', '/d/*'] })],
    }));
    const answers = [];
    for (const target of ['/a', '/b/x', '/c', '/d/x', '/e']) answers.push(await who(target));
    expect(answers).toEqual(['uris', 'uris', 'paths', 'paths', '404']);
  });

  it('is not found out by looking long, whatever is asked for', async () => {
    const { who } = await startPaths(`/${'*/a/'.repeat(20)}b`);
    expect(await who(`/${'a/'.repeat(7000)}`)).toBe('404');
  });
});

describe('of several paths', () => {
  it('a whole one goes before one with a *, whatever their order', async () => {
    for (const paths of [
      ['/v1/*', '/v1/chat'],
      ['/v1/chat', '/v1/*'],
    ]) {
      expect(await takers(paths, ['/v1/chat', '/v1/chats'])).toEqual(['/v1/chat', '/v1/*']);
    }
  });

  it('the longer goes before the shorter, whatever their order', async () => {
    for (const paths of [
      ['/*', '/v1/*', '/v1/chat/*'],
      ['/v1/chat/*', '/v1/*', '/*'],
    ]) {
      expect(await takers(paths, ['/v1/chat/completions', '/v1/models/x', '/v2'])).toEqual([
        '/v1/chat/*',
        '/v1/*',
        '/*',
      ]);
    }
  });

  it('of equal length up to the *, that which says more of what follows goes first', async () => {
    expect(await takers(['/teams/*', '/teams/*/chat'], ['/teams/a/chat', '/teams/a/b'])).toEqual([
      '/teams/*/chat',
      '/teams/*',
    ]);
  });

  it('the same goes to the route with the higher priority', async () => {
    const { who } = await startRouting((route) => ({
      routes: [
        route('default'),
        route('high', { priority: 10 }),
        route('low', { priority: -10 }),
        route('alone', { uri: '/alone', priority: -10 }),
      ],
    }));
    expect([await who('/chat'), await who('/alone')]).toEqual(['high', 'alone']);
  });

  it('the better one goes before the higher priority', async () => {
    const { who } = await startRouting((route) => ({
      routes: [
        route('prefix', { uri: '/v1/*', priority: 100 }),
        route('longer', { uri: '/v1/chat/*', priority: 50 }),
        route('whole', { uri: '/v1/chat/completions' }),
      ],
    }));
    const answers = [await who('/v1/chat/completions'), await who('/v1/chat/x'), await who('/v1/x')];
    expect(answers).toEqual(['whole', 'longer', 'prefix']);
  });

  it('and nothing to choose by, the first that was written is taken', async () => {
    const { who } = await startRouting((route) => ({ routes: [route('first'), route('second')] }));
    expect(await who('/chat')).toBe('first');
  });
});

describe('the path of a request', () => {
  it('counts without its query', async () => {
    expect(await takers(['/chat', '/other'], ['/chat?a=b', '/chat?/other', '/chat?', '/?/chat'])).toEqual([
      '/chat',
      '/chat',
      '/chat',
      '404',
    ]);
  });

  it('counts as it is decoded', async () => {
    const targets = ['/v1/ch%61t', '/%76%31/chat', '/v1%2Fchat', '/v1%2fchat', '/v1/ch%2561t'];
    expect(await takers(['/v1/chat'], targets)).toEqual([
      '/v1/chat',
      '/v1/chat',
      '/v1/chat',
      '/v1/chat',
      '404',
    ]);
  });

  it.each(['/größe', '/模型', '/🙂'])('can be %s, in UTF-8', async (uri) => {
    expect(await takers([uri], [encodeURI(uri)])).toEqual([uri]);
  });

  it.each(['/v1/ch%61t/%', '/v1/ch%61t/%zz', '/v1/ch%61t/%ff', '/v1/ch%61t/%f0%9f'])(
    'is decoded as far as that can be: %s',
    async (target) => {
      expect(await takers(['/v1/*', '/v1/chat/*'], [target])).toEqual(['/v1/chat/*']);
    },
  );

  it.each([
    ['//v1//chat/x', '/v1/chat/*'],
    ['/v1/./chat/x', '/v1/chat/*'],
    ['/v1/other/../chat/x', '/v1/chat/*'],
    ['/v1/%2e%2e/v1/chat/x', '/v1/chat/*'],
    ['/v1/chat/../x', '/v1/*'],
    ['/v1/chat/x/..', '/v1/chat/*'],
    ['/v1/chat/.', '/v1/chat/*'],
    ['/v1/chat/..', '/v1/*'],
    ['/v1/chat/...', '/v1/chat/*'],
    ['/v1/chat/.x', '/v1/chat/*'],
    ['/../v1/chat/x', '404'],
    ['/v1/../../v1/chat/x', '404'],
  ])('counts as the one it stands for: %s', async (target, uri) => {
    expect(await takers(['/v1/*', '/v1/chat/*'], [target])).toEqual([uri]);
  });

  it('counts without a fragment, which no client should send', async () => {
    expect(await takers(['/v1/*', '/v1/chat'], ['/v1/chat#x', '/v1/chat#?x'])).toEqual([
      '/v1/chat',
      '/v1/chat',
    ]);
  });

  it('counts without scheme and host where they stand in front of it', async () => {
    const targets = [
      'http://a.test/v1/chat',
      'HTTP://a.test:80/v1/chat?x',
      'http://a.test',
      'http://a.test?/v1/chat',
    ];
    expect(await takers(['/v1/chat', '/'], targets)).toEqual(['/v1/chat', '/v1/chat', '/', '/']);
  });
});
