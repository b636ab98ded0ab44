import { describe, expect, it } from 'vitest';
import type { LoadedModel, LoadedProviderKey } from '../../lib/config/loaded-model-router.ts';
import { compileAllowedNames } from '../../lib/model-router/allowed-names.ts';
import { modelLister } from '../../lib/model-router/model-list.ts';

const CREATED_SECONDS = 1_800_000_000;

const providerKey: LoadedProviderKey = {
  id: 'pk',
  displayName: 'pk',
  adapter: 'openai',
  apiKey: 'sk-upstream',
  verifyCertificate: true,
  request: { paramRenames: {}, defaultHeaders: {}, forwardClientHeaders: [], defaultBodyFields: {} },
  stripHeaders: [],
};

function direct(name: string, provider = 'openai'): LoadedModel {
  return { kind: 'direct', id: `id-${name}`, name, provider, upstreamModel: 'up', providerKey, limits: {} };
}

function routing(name: string): LoadedModel {
  return {
    kind: 'routing',
    id: `id-${name}`,
    name,
    strategy: 'failover',
    targets: [{ model: 'a', weight: 1, priority: 0, tags: [] }],
    retryOn429: false,
    fallbackOnStatuses: [],
    whenAllUnavailable: 'fail',
    hashOn: [],
    limits: {},
  };
}

function idsFor(models: readonly LoadedModel[], allowed: readonly string[]): readonly string[] {
  return modelLister(models, CREATED_SECONDS)(compileAllowedNames(allowed)).data.map(({ id }) => id);
}

describe('GET /v1/models', () => {
  it("has OpenAI's shape, with the provider or this package as the owner", () => {
    const list = modelLister([routing('chat-prod'), direct('claude', 'anthropic')], CREATED_SECONDS);
    expect(list(() => true)).toEqual({
      object: 'list',
      data: [
        { id: 'chat-prod', object: 'model', created: CREATED_SECONDS, owned_by: 'ai-proxy-multi' },
        { id: 'claude', object: 'model', created: CREATED_SECONDS, owned_by: 'anthropic' },
      ],
    });
  });

  it.each<[string, readonly LoadedModel[], readonly string[], readonly string[]]>([
    ['the alias and not its targets', [direct('a'), routing('chat')], ['chat'], ['chat']],
    ['what a glob fits', [direct('o/a'), direct('o/b'), direct('x/c')], ['o/*'], ['o/a', 'o/b']],
    ['nothing to a key that may use nothing', [direct('a')], [], []],
    ['no name that is allowed but not there', [direct('a')], ['a', 'b'], ['a']],
    ['no wildcard', [direct('o/*'), direct('a'), direct('*')], ['*'], ['a']],
    [
      'names by code units',
      [direct('b'), direct('é'), direct('B'), direct('a')],
      ['*'],
      ['B', 'a', 'b', 'é'],
    ],
  ])('lists %s', (_title, models, allowed, expected) => {
    expect(idsFor(models, allowed)).toEqual(expected);
  });

  it('lists the same to each caller as if there were no other', () => {
    const list = modelLister([direct('b'), direct('a')], CREATED_SECONDS);
    expect(list(compileAllowedNames(['a'])).data).toHaveLength(1);
    expect(list(compileAllowedNames(['*'])).data).toHaveLength(2);
  });

  it("leaves the configuration's own order alone", () => {
    const models = Object.freeze([direct('b'), direct('a')]);
    expect(idsFor(models, ['*'])).toEqual(['a', 'b']);
  });
});
