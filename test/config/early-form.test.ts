import { describe, expect, it } from 'vitest';
import { load, pathsOf, warningsOf } from './loading.ts';

const provider = (fields: Record<string, unknown> = {}) => ({
  name: 'openai',
  model: 'gpt-4',
  auth: {},
  ...fields,
});

describe('the early form', () => {
  it('makes an instance of each provider', () => {
    const providers = [
      provider({ priority: 1, weight: 3, options: { temperature: 1 }, auth: { header: { a: 'b' } } }),
      provider({ name: 'deepseek', model: 'deepseek-chat', override: { endpoint: 'http://localhost:8000' } }),
    ];
    expect(load({ providers }).instances).toMatchObject([
      {
        name: 'openai',
        provider: 'openai',
        priority: 1,
        weight: 3,
        auth: { header: { a: 'b' }, query: {} },
        options: { model: 'gpt-4', temperature: 1 },
      },
      {
        name: 'deepseek',
        provider: 'deepseek',
        priority: 0,
        weight: 1,
        options: { model: 'deepseek-chat' },
        endpoint: 'http://localhost:8000/',
      },
    ]);
  });

  it('tells providers of the same kind apart by a number', () => {
    const providers = ['openai', 'deepseek', 'openai', 'openai', 'deepseek'].map((name) =>
      provider({ name }),
    );
    expect(load({ providers }).instances.map(({ name }) => name)).toEqual([
      'openai',
      'deepseek',
      'openai-2',
      'openai-3',
      'deepseek-2',
    ]);
  });

  it('puts model over a model in options', () => {
    const [instance] = load({ providers: [provider({ options: { model: 'other' } })] }).instances;
    expect(instance?.options).toEqual({ model: 'gpt-4' });
  });

  it('retries on the next provider unless told otherwise', () => {
    const every = { on429: true, on5xx: true, onRateLimit: true, statuses: [] };
    expect(load({ providers: [provider()] }).fallback).toEqual(every);
    expect(load({ providers: [provider()], fallback_strategy: 'http_429' }).fallback).toEqual({
      ...every,
      on5xx: false,
      onRateLimit: false,
    });
  });

  it('takes passthrough and the fields of the present form', () => {
    const loaded = load({
      providers: [provider({ checks: { active: {} } })],
      passthrough: true,
      max_retries: 2,
    });
    expect(loaded).toMatchObject({ passthrough: true, max_retries: 2, timeout: 30000 });
    expect(loaded.instances[0]?.checks?.active.type).toBe('http');
  });

  it.each([
    ['no providers', { providers: [] }, ['providers']],
    ['providers that are no array', { providers: {} }, ['providers']],
    ['a provider that is no object', { providers: ['openai'] }, ['providers[0]']],
    ['an unknown provider', { providers: [provider({ name: 'bedrok' })] }, ['providers[0].name']],
    ['no model', { providers: [provider({ model: undefined })] }, ['providers[0].model']],
    ['no auth', { providers: [provider(), provider({ auth: undefined })] }, ['providers[1].auth']],
    ['a negative weight', { providers: [provider({ weight: -1 })] }, ['providers[0].weight']],
    [
      'a bad endpoint',
      { providers: [provider({ override: { endpoint: 'x' } })] },
      ['providers[0].override.endpoint'],
    ],
    [
      'a missing variable',
      { providers: [provider({ auth: { query: { key: '$env://NOT_THERE' } } })] },
      ['providers[0].auth.query.key'],
    ],
    ['both forms', { providers: [provider()], instances: [] }, ['instances']],
    [
      'both forms and more',
      { providers: [provider({ auth: 5 })], instances: [], timeout: 0, passthrough: 'no' },
      ['providers[0].auth', 'passthrough', 'timeout', 'instances'],
    ],
  ])('has the faults of %s in its own words', (_what, config, paths) => {
    expect(pathsOf(config)).toEqual(paths);
  });

  it('has its warnings in its own words', () => {
    const providers = [provider(), provider({ name: 'azure-openai', priorty: 1 })];
    expect(warningsOf({ providers }).map(({ path }) => path)).toEqual([
      'providers[1].priorty',
      'providers[1].override.endpoint',
    ]);
  });

  it('is not meant by passthrough alone', () => {
    const config = { instances: [{ name: 'a', provider: 'openai', weight: 1, auth: {} }], passthrough: true };
    expect(load(config).passthrough).toBe(false);
    expect(warningsOf(config)).toEqual([
      {
        path: 'passthrough',
        message:
          'unknown field "passthrough"; it belongs to the early form, which has "providers", and does nothing here',
      },
    ]);
  });
});
