import { describe, expect, it } from 'vitest';
import { loadModelRouter } from '../../lib/config/load-model-router.ts';
import { errorOf, faultsOf, pathsOf } from './loading.ts';
import { alias, callerKey, directModel, hashOf, providerKey, routerOf } from './model-router-parts.ts';

const faults = (config: unknown) => faultsOf(config, loadModelRouter);
const withModel = (fields: Record<string, unknown>) => routerOf({ models: [directModel(fields)] });
const withAlias = (routing: Record<string, unknown>, fields: Record<string, unknown> = {}) =>
  routerOf({ models: [directModel(), alias(routing, fields)] });
const withKey = (fields: Record<string, unknown>) => routerOf({ provider_keys: [providerKey(fields)] });
const withCaller = (fields: Record<string, unknown>) => routerOf({ api_keys: [callerKey(fields)] });
const says = (text: string) => expect.stringContaining(text);
const SHAPE = 'must have either routing, or provider, model_name and one of provider_key and provider_key_id';

describe('what is wrong with a router is told at its place', () => {
  it.each([
    ['nothing', undefined, '', says('must be an object')],
    ['no models', { provider_keys: [] }, 'models', says('is missing')],
    [
      'a misspelt list',
      { models: [], provider_kyes: [] },
      'provider_keys',
      says('did you write "provider_kyes"'),
    ],
    ['models that are none', routerOf({ models: {} }), 'models', says('must be an array')],
    [
      'provider keys that are none',
      { models: [], provider_keys: 'sk-1' },
      'provider_keys',
      says('must be an array'),
    ],
    ['callers that are none', routerOf({ api_keys: null }), 'api_keys', says('must be an array')],
    ['a model that is none', routerOf({ models: [5] }), 'models[0]', 'must be an object'],
    ['a caller that is none', routerOf({ api_keys: ['sk-1'] }), 'api_keys[0]', 'must be an object'],
  ])('%s', (_what, config, path, message) => {
    expect(faults(config)).toEqual([{ path, message }]);
  });

  it('with half a character in the name that goes into a URL', () => {
    const config = withModel({ model_name: 'gpt-\ud83d' });
    expect(faults(config)).toEqual([{ path: 'models[0].model_name', message: says('whole characters') }]);
  });

  it('with everything at once', () => {
    const config = {
      provider_keys: [providerKey({ adapter: 'x' }), providerKey({ api_base: 'nowhere' })],
      models: [
        directModel({ timeout: -1 }),
        directModel({ provider_key_id: 'kp' }),
        alias({ strategy: 'best' }),
      ],
      api_keys: [callerKey({ key_hash: 'sk-1' })],
      update: 1,
    };
    expect(pathsOf(config, loadModelRouter).sort()).toEqual([
      'api_keys[0].key_hash',
      'models[0].timeout',
      'models[1].display_name',
      'models[1].provider_key_id',
      'models[2].routing.strategy',
      'provider_keys[0].adapter',
      'provider_keys[1].api_base',
      'provider_keys[1].display_name',
    ]);
  });
});

describe('a model has exactly one shape', () => {
  it.each([
    ['none', { display_name: 'a' }],
    ['half of a direct one', directModel({ model_name: undefined })],
    ['a direct one without a provider', directModel({ provider: undefined })],
    ['a direct one without a key', directModel({ provider_key_id: undefined })],
  ])('not %s', (_what, model) => {
    expect(faults(routerOf({ models: [model] }))).toEqual([{ path: 'models[0]', message: SHAPE }]);
  });

  it.each([
    ['provider', 'openai'],
    ['model_name', 'gpt-4o'],
    ['provider_key_id', 'pk'],
    ['provider_key', 'main'],
    ['cooldown', {}],
    ['background_model_check', {}],
    ['retries', 1],
    ['cost', { input_per_1k: 1, output_per_1k: 1 }],
  ])('an alias has no %s', (field, value) => {
    expect(faults(withAlias({}, { [field]: value }))).toEqual([
      { path: `models[1].${field}`, message: says('cannot stand beside "routing"') },
    ]);
  });

  it.each(['embedding', 'ensemble', 'semantic', 'auto_prompt_caching'])('%s is not supported', (field) => {
    const message = says('is not supported');
    expect(faults(withModel({ [field]: {} }))).toContainEqual({ path: `models[0].${field}`, message });
    const alone = routerOf({ models: [{ display_name: 'a', [field]: {} }] });
    expect(faults(alone)).toContainEqual({ path: `models[0].${field}`, message });
  });

  it('an ensemble by itself is only told that it is not supported', () => {
    const models = [{ display_name: 'a', ensemble: {} }];
    expect(pathsOf(routerOf({ models }), loadModelRouter)).toEqual(['models[0].ensemble']);
  });
});

describe('a wildcard is not supported', () => {
  const message = 'is "openai/*", which holds a wildcard (*); that is not supported';
  it.each([
    ['display_name', withModel({ display_name: 'openai/*' }), 'models[0].display_name'],
    ['model_name', withModel({ model_name: 'openai/*' }), 'models[0].model_name'],
    ['the name of an alias', withAlias({}, { display_name: 'openai/*' }), 'models[1].display_name'],
  ])('in %s', (_where, config, path) => {
    expect(faults(config)).toEqual([{ path, message }]);
  });
});

describe('what is wrong with a model', () => {
  it.each([
    ['no name', withModel({ display_name: undefined }), 'models[0].display_name', says('is missing')],
    ['a vendor in capitals', withModel({ provider: 'OpenAI' }), 'models[0].provider', says('is "OpenAI"')],
    ['a timeout below 0', withModel({ timeout: -1 }), 'models[0].timeout', says('at least 0')],
    ['retries below 0', withModel({ retries: -1 }), 'models[0].retries', says('at least 0')],
    [
      'half a price',
      withModel({ cost: { input_per_1k: 1 } }),
      'models[0].cost.output_per_1k',
      says('missing'),
    ],
    [
      'a limit below 0',
      withModel({ rate_limit: { rpm: -1 } }),
      'models[0].rate_limit.rpm',
      says('at least 0'),
    ],
    ['half a limit', withModel({ rate_limit: { tpm: 0.5 } }), 'models[0].rate_limit.tpm', says('an integer')],
    [
      'a check too often',
      withModel({ background_model_check: { interval_seconds: 4 } }),
      'models[0].background_model_check.interval_seconds',
      says('from 5'),
    ],
    [
      'a status that is none',
      withModel({ cooldown: { trigger_statuses: [99] } }),
      'models[0].cooldown.trigger_statuses[0]',
      says('from 100 to 599'),
    ],
    [
      'an unknown key',
      withModel({ provider_key_id: 'kp' }),
      'models[0].provider_key_id',
      'is another text, must be the id of one of the provider keys; did you mean "pk"?',
    ],
    [
      'an unknown name of a key',
      withModel({ provider_key_id: undefined, provider_key: 'mian' }),
      'models[0].provider_key',
      'is another text, must be the display_name of one of the provider keys; did you mean "main"?',
    ],
  ])('is told of %s', (_what, config, path, message) => {
    expect(faults(config)).toEqual([{ path, message }]);
  });

  it('is told of two references to different keys', () => {
    const provider_keys = [providerKey(), providerKey({ id: 'other', display_name: 'other' })];
    const models = [directModel({ provider_key: 'other' })];
    expect(faults(routerOf({ provider_keys, models }))).toEqual([
      { path: 'models[0].provider_key', message: says('another provider key') },
    ]);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0/8',
    '::/129',
    'fe80::1%eth0',
    'example.com',
    '10.0.0.0/8/8',
    '1.1.1.1/-1',
  ])('is told of %s, which is no network', (network) => {
    expect(faults(withModel({ allowed_cidrs: ['::1', network] }))).toEqual([
      { path: 'models[0].allowed_cidrs[1]', message: says('must be a network such as "10.0.0.0/8"') },
    ]);
  });
});

describe('what is wrong with an alias', () => {
  const target = 'models[1].routing.targets[0]';
  const mustBeDirect = 'must be the display_name of a model that has no routing itself';
  it.each([
    ['no targets', { targets: [] }, 'models[1].routing.targets', says('a non-empty array')],
    [
      'an unknown target',
      { targets: [{ model: 'oen' }] },
      `${target}.model`,
      `is "oen", ${mustBeDirect}; did you mean "one"?`,
    ],
    ['itself as a target', { targets: [{ model: 'chat' }] }, `${target}.model`, `is "chat", ${mustBeDirect}`],
    [
      'a target twice',
      { targets: [{ model: 'one' }, { model: 'one', weight: 2 }] },
      'models[1].routing.targets[1].model',
      'is "one", must differ from routing.targets[0].model',
    ],
    ['a weight below 0', { targets: [{ model: 'one', weight: -1 }] }, `${target}.weight`, says('from 0')],
    [
      'half a priority',
      { targets: [{ model: 'one', priority: 0.5 }] },
      `${target}.priority`,
      says('an integer'),
    ],
    [
      'a tag that is no text',
      { targets: [{ model: 'one', tags: [1] }] },
      `${target}.tags[0]`,
      says('a string'),
    ],
    [
      'an unknown strategy',
      { strategy: 'round-robin' },
      'models[1].routing.strategy',
      says('did you mean "round_robin"?'),
    ],
    [
      'a status that is no failure',
      { fallback_on_statuses: [200] },
      'models[1].routing.fallback_on_statuses[0]',
      says('from 400 to 599'),
    ],
    ['fallbacks below 0', { max_fallbacks: -1 }, 'models[1].routing.max_fallbacks', says('at least 0')],
    ['nothing to hash', { hash_on: [] }, 'models[1].routing.hash_on', says('a non-empty array')],
    [
      'a header without a name',
      { hash_on: [{ type: 'header' }] },
      'models[1].routing.hash_on[0].name',
      'is missing, must be the name of the header',
    ],
    [
      'an address with a name',
      { hash_on: [{ type: 'client_ip', name: 'x' }] },
      'models[1].routing.hash_on[0].name',
      'is not allowed for the type "client_ip"',
    ],
    [
      'a header with an illegal name',
      { hash_on: [{ type: 'header', name: 'a b' }] },
      'models[1].routing.hash_on[0].name',
      says('is "a b"'),
    ],
    [
      'two policies',
      { when_all_unavailable: 'fail', on_all_filtered: 'original_order' },
      'models[1].routing.on_all_filtered',
      'differs from when_all_unavailable, which is another name of it',
    ],
    [
      'an unknown policy',
      { on_all_filtered: 'orignal_order' },
      'models[1].routing.on_all_filtered',
      says('"original_order"?'),
    ],
  ])('is told of %s', (_what, routing, path, message) => {
    expect(faults(withAlias(routing))).toEqual([{ path, message }]);
  });

  it('is not told again that a target has faults of its own', () => {
    const models = [directModel({ timeout: -1 }), alias()];
    expect(pathsOf(routerOf({ models }), loadModelRouter)).toEqual(['models[0].timeout']);
  });
});

describe('what is wrong with a caller', () => {
  it.each([
    ['no hash', withCaller({ key_hash: undefined }), 'api_keys[0].key_hash'],
    ['a hash in capitals', withCaller({ key_hash: hashOf('a').toUpperCase() }), 'api_keys[0].key_hash'],
    ['a hash that is too short', withCaller({ key_hash: hashOf('a').slice(1) }), 'api_keys[0].key_hash'],
    ['no list of models', withCaller({ allowed_models: undefined }), 'api_keys[0].allowed_models'],
    [
      'two wildcards in one name',
      withCaller({ allowed_models: ['*', '*a*'] }),
      'api_keys[0].allowed_models[1]',
    ],
    [
      'a limit below 0',
      withCaller({ rate_limit: { concurrency: -1 } }),
      'api_keys[0].rate_limit.concurrency',
    ],
    ['a day that is none', withCaller({ expires_at: '2027-02-30T00:00:00Z' }), 'api_keys[0].expires_at'],
    ['a time without a zone', withCaller({ expires_at: '2027-02-03T00:00:00' }), 'api_keys[0].expires_at'],
    ['a time that is a number', withCaller({ expires_at: 1800000000 }), 'api_keys[0].expires_at'],
  ])('is told of %s', (_what, config, path) => {
    expect(pathsOf(config, loadModelRouter)).toEqual([path]);
  });
});

describe('what is known by a name', () => {
  it('must differ from all others of its kind', () => {
    const config = {
      provider_keys: [providerKey(), providerKey({ id: 'b' }), providerKey({ display_name: 'c' })],
      models: [
        directModel({ id: 'x' }),
        directModel({ id: 'x', display_name: 'b' }),
        alias({}, { display_name: 'one' }),
      ],
      api_keys: [callerKey(), callerKey({ display_name: 'again' })],
    };
    expect(faults(config)).toEqual([
      {
        path: 'provider_keys[1].display_name',
        message: 'is "main", must differ from provider_keys[0].display_name',
      },
      { path: 'provider_keys[2].id', message: 'is "pk", must differ from provider_keys[0].id' },
      { path: 'models[2].display_name', message: 'is "one", must differ from models[0].display_name' },
      { path: 'models[1].id', message: 'is "x", must differ from models[0].id' },
      { path: 'api_keys[1].key_hash', message: 'must differ from api_keys[0].key_hash' },
    ]);
  });

  it('may not have an id that follows from the name of another', () => {
    const [first] = loadModelRouter(routerOf(), console, { hasSecretResolver: true }).models;
    const models = [directModel(), directModel({ id: first?.id, display_name: 'two' })];
    expect(pathsOf(routerOf({ models }), loadModelRouter)).toEqual(['models[1].id']);
  });
});

describe('many wrong references', () => {
  it('are all told, and only the first of them with what may have been meant', () => {
    const models = Array.from({ length: 500 }, (_, index) =>
      directModel({ display_name: `m${index}`, provider_key_id: 'kp' }),
    );
    const { errors } = errorOf(routerOf({ models }), loadModelRouter);
    expect(errors).toHaveLength(500);
    expect(errors.filter(({ message }) => message.includes('did you mean'))).toHaveLength(20);
  });
});

describe('an adapter', () => {
  it.each(['bedrock', 'vertex'])('%s is not supported yet', (adapter) => {
    expect(faults(withKey({ adapter }))).toEqual([
      {
        path: 'provider_keys[0].adapter',
        message: `is "${adapter}", which is not supported yet; must be "openai", "anthropic" or "azure-openai"`,
      },
    ]);
  });
});
