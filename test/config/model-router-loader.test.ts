/** One configuration of a router after the other. */
import { describe, expect, it } from 'vitest';
import { takeCopy } from '../../lib/config/check-config.ts';
import { makeModelRouterLoader } from '../../lib/config/load-model-router.ts';
import { recordWarnings } from './loading.ts';
import { alias, callerKey, directModel, hashOf, providerKey, routerOf } from './model-router-parts.ts';

function startLoading() {
  const logger = recordWarnings();
  const loader = makeModelRouterLoader(logger, { hasSecretResolver: true });
  return { warnings: logger.warnings, load: (config: unknown) => loader.load(takeCopy(config)) };
}

const callersOf = (...fields: Record<string, unknown>[]) => fields.map((each) => callerKey(each));
const [a, b, c] = [hashOf('a'), hashOf('b'), hashOf('c')];

describe('a router that is loaded again', () => {
  it('keeps the callers that are written as before, wherever they stand now', () => {
    const { load } = startLoading();
    const before = load(routerOf({ api_keys: callersOf({ key_hash: a }, { key_hash: b }) }));
    const after = load(routerOf({ api_keys: callersOf({ key_hash: c }, { key_hash: b }, { key_hash: a }) }));
    expect(after.callers?.map(({ keyHash }) => keyHash)).toEqual([c, b, a]);
    expect(after.callers?.[1]).toBe(before.callers?.[1]);
    expect(after.callers?.[2]).toBe(before.callers?.[0]);
  });

  it('takes what has changed in a caller, a model, and an alias', () => {
    const { load } = startLoading();
    load(
      routerOf({
        models: [directModel({ timeout: 5000 }), alias({ strategy: 'failover' })],
        api_keys: callersOf({ rate_limit: { rpm: 1 } }),
      }),
    );
    const after = load(
      routerOf({
        models: [directModel({ timeout: 7000 }), alias({ strategy: 'round_robin' })],
        api_keys: callersOf({ rate_limit: { rpm: 2 }, allowed_models: ['one'] }),
      }),
    );
    expect(after.callers).toMatchObject([{ limits: { rpm: 2 }, allowedModels: ['one'] }]);
    expect(after.models).toMatchObject([{ timeoutMs: 7000 }, { strategy: 'round_robin' }]);
  });

  it('takes what has changed in the very object that it was given before', () => {
    const { load } = startLoading();
    const caller = callerKey({ rate_limit: { rpm: 1 } });
    const config = routerOf({ api_keys: [caller] });
    load(config);
    caller.rate_limit = { rpm: 2 };
    expect(load(config).callers).toMatchObject([{ limits: { rpm: 2 } }]);
  });

  it('gives a model the provider key as it is now', () => {
    const { load } = startLoading();
    load(routerOf());
    const [model] = load(routerOf({ provider_keys: [providerKey({ api_key: 'new' })] })).models;
    expect(model).toMatchObject({ providerKey: { apiKey: 'new' } });
  });

  it('looks again at what a provider key refers to', () => {
    const { load } = startLoading();
    const config = routerOf({ provider_keys: [providerKey({ api_key: '$env://AIPM_TEST_ROTATED' })] });
    process.env.AIPM_TEST_ROTATED = 'first';
    load(config);
    process.env.AIPM_TEST_ROTATED = 'second';
    const [model] = load(config).models;
    delete process.env.AIPM_TEST_ROTATED;
    expect(model).toMatchObject({ providerKey: { apiKey: 'second' } });
  });

  it.each([
    ['caller', 'api_keys', (more: object) => [callerKey({ ...more })]],
    ['model', 'models', (more: object) => [directModel({ ...more }), alias()]],
  ])('warns of what is unknown in a %s again only when that has changed', (_what, list, listOf) => {
    const { load, warnings } = startLoading();
    const loadWith = (more: object) => load(routerOf({ [list]: listOf(more) }));
    loadWith({ later: 1 });
    loadWith({ later: 1 });
    expect(warnings.map(({ path }) => path)).toEqual([`${list}[0].later`]);
    loadWith({ later: 1, rate_limit: { rpm: 1 } });
    expect(warnings.map(({ path }) => path)).toEqual([`${list}[0].later`, `${list}[0].later`]);
  });

  it.each([
    [
      'the same caller twice',
      { api_keys: callersOf({ key_hash: a }, { key_hash: a }) },
      'api_keys[1].key_hash',
    ],
    [
      'the id of another caller',
      { api_keys: callersOf({ key_hash: a, id: 'x' }, { key_hash: b, id: 'x' }) },
      'api_keys[1].id',
    ],
    ['an alias without its target', { models: [alias()] }, 'models[0].routing.targets[0].model'],
    ['a model without its key', { provider_keys: [] }, 'models[0].provider_key_id'],
  ])('refuses %s, be it right in itself', (_what, lists, path) => {
    const { load } = startLoading();
    load(
      routerOf({
        api_keys: callersOf({ key_hash: a, id: 'x' }, { key_hash: b }),
      }),
    );
    load(routerOf({ api_keys: callersOf({ key_hash: a }, { key_hash: b, id: 'x' }) }));
    expect(() => load(routerOf(lists))).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ path })] }),
    );
  });

  it('finds the same faults, and warns of the same, however often they come', () => {
    const { load, warnings } = startLoading();
    const wrong = routerOf({
      models: [directModel({ later: 1, timeout: -1 }), alias()],
      api_keys: callersOf({ later: 1 }),
    });
    for (let times = 0; times < 2; times++) {
      expect(() => load(wrong)).toThrow(
        expect.objectContaining({ errors: [expect.objectContaining({ path: 'models[0].timeout' })] }),
      );
    }
    expect(warnings.map(({ path }) => path)).toEqual(['api_keys[0].later', 'api_keys[0].later']);
  });

  it('goes on from the last one that was right', () => {
    const { load } = startLoading();
    const before = load(routerOf({ api_keys: callersOf({ key_hash: a }) }));
    expect(() => load(routerOf({ api_keys: callersOf({ key_hash: a, disabled: 1 }) }))).toThrow();
    const after = load(routerOf({ api_keys: callersOf({ key_hash: a }) }));
    expect(after.callers?.[0]).toBe(before.callers?.[0]);
  });
});
