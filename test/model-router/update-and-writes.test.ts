import type { ModelRouterStore } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { type Deferred, defer } from './admin/deferred.ts';
import { aliasOf, asConfig, findEntry, type Live, modelOf, startPair } from './live-router.ts';

/** A store whose saves end when the test says so; all that it was given are kept. */
function holdingStore() {
  const saves: { readonly config: string; readonly end: Deferred }[] = [];
  let look = (): void => {};
  const store: ModelRouterStore = {
    load: async () => undefined,
    save(config) {
      const end = defer();
      saves.push({ config: JSON.stringify(config), end });
      look();
      return end.promise;
    },
  };
  return {
    store,
    saves,
    /** Resolves to the save of that number when it has begun. */
    async begun(index: number): Promise<Deferred> {
      for (;;) {
        const save = saves[index];
        if (save !== undefined) return save.end;
        await new Promise<void>((resolve) => {
          look = resolve;
        });
      }
    },
  };
}

const third = modelOf('third', { provider_key_id: 'two' });
const fourth = modelOf('fourth', { provider_key_id: 'two' });

function namesOf({ router }: Live): readonly string[] {
  return router.status().models.map((row) => row.display_name);
}

describe('update() while a change by the admin API is being saved', () => {
  it('is in force at once, and the change is made to it', async () => {
    const held = holdingStore();
    const { live, config } = await startPair({ host: { store: held.store } });
    const writing = live.admin('POST', 'models', third);
    const first = await held.begun(0);
    live.router.update(asConfig({ ...config, models: [...config.models, fourth] }));
    expect(namesOf(live)).toEqual(['one', 'two', 'chat', 'fourth']);
    first.resolve();
    (await held.begun(1)).resolve();
    (await held.begun(2)).resolve();
    expect((await writing).body).toMatchObject({ value: third, revision: 1 });
    expect(namesOf(live)).toEqual(['one', 'two', 'chat', 'fourth', 'third']);
    expect((await live.chat('third')).status).toBe(200);
    expect((await live.chat('fourth')).status).toBe(200);
    expect(held.saves.at(-1)?.config).toContain('"third"');
    expect(held.saves.at(-1)?.config).toContain('"fourth"');
  });

  it('that takes away what was to be changed has the last word, in the store as well', async () => {
    const held = holdingStore();
    const { live, config } = await startPair({ host: { store: held.store } });
    const { id } = await findEntry(live, 'models', 'chat');
    const writing = live.admin('PUT', `models/${id}`, aliasOf('chat', ['two']));
    const first = await held.begun(0);
    live.router.update(asConfig({ ...config, models: [modelOf('one'), fourth] }));
    first.resolve();
    (await held.begun(1)).resolve();
    expect((await writing).status).toBe(404);
    expect(namesOf(live)).toEqual(['one', 'fourth']);
    expect(held.saves.at(-1)?.config).toContain('"fourth"');
    expect(held.saves.at(-1)?.config).not.toContain('"chat"');
  });

  it('that fails changes nothing, and the change is saved once', async () => {
    const held = holdingStore();
    const { live } = await startPair({ host: { store: held.store } });
    const writing = live.admin('POST', 'models', third);
    const first = await held.begun(0);
    expect(() => live.router.update(asConfig({ provider_keys: [], models: [third] }))).toThrow(
      'provider_key_id',
    );
    first.resolve();
    expect((await writing).status).toBe(200);
    expect(held.saves).toHaveLength(1);
  });

  it('again and again is answered 503 in the end, and the host has its way', async () => {
    const updates: (() => void)[] = [];
    const store = { load: async () => undefined, save: async () => updates[0]?.() };
    const { live, config } = await startPair({ host: { store } });
    updates.push(() => live.router.update(asConfig(config)));
    const { status, headers } = await live.admin('POST', 'models', third);
    expect({ status, retryAfter: headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '10' });
    expect(namesOf(live)).toEqual(['one', 'two', 'chat']);
    updates.pop();
    expect((await live.admin('POST', 'models', third)).status).toBe(200);
  });
});

describe('update() between changes by the admin API', () => {
  it('replaces what they have made, and the next one is made to it', async () => {
    const { live, config } = await startPair();
    await live.admin('POST', 'models', third);
    live.router.update(asConfig({ ...config, models: [...config.models, fourth] }));
    await live.admin('POST', 'models', modelOf('fifth', { provider_key_id: 'two' }));
    expect(namesOf(live)).toEqual(['one', 'two', 'chat', 'fourth', 'fifth']);
  });

  it('leaves the object it was given to its owner', async () => {
    const { live, config } = await startPair();
    const given = asConfig(structuredClone(config));
    live.router.update(given);
    given.models.length = 0;
    await live.admin('POST', 'models', third);
    expect(namesOf(live)).toEqual(['one', 'two', 'chat', 'third']);
  });
});
