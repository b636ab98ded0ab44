import { describe, expect, it } from 'vitest';
import { type AdminApp, openaiKey, primary, startAdmin } from './admin-app.ts';
import { type Deferred, defer } from './deferred.ts';

const named = (name: string) => ({ ...primary, display_name: name });

/** A store whose saves end when the test says so. */
function holdSaves(app: AdminApp) {
  const held: Deferred[] = [];
  let look = (): void => {};
  app.registry.save = () => {
    const save = defer();
    held.push(save);
    look();
    return save.promise;
  };
  return {
    held,
    /** Resolves to the save of that number when it has begun. */
    async begun(index: number) {
      for (;;) {
        const save = held[index];
        if (save !== undefined) return save;
        await new Promise<void>((resolve) => {
          look = resolve;
        });
      }
    },
  };
}

describe('two writes at once', () => {
  it('lose nothing, of one kind or of two', async () => {
    const { call, registry } = await startAdmin();
    const names = Array.from({ length: 20 }, (_, index) => `model-${index}`);
    const answers = await Promise.all([
      ...names.map((name) => call('POST', '/admin/v1/models', named(name))),
      ...names.map((name) => call('POST', '/admin/v1/provider_keys', { ...openaiKey, display_name: name })),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const { models, provider_keys: keys } = registry.current();
    expect(models.map((model) => model.display_name).sort()).toEqual([...names].sort());
    expect(keys.map((key) => key.display_name).sort()).toEqual([...names].sort());
  });

  it('of the same name: one is taken, the other refused', async () => {
    const { call, registry } = await startAdmin();
    const answers = await Promise.all([
      call('POST', '/admin/v1/models', primary),
      call('POST', '/admin/v1/models', primary),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(registry.current().models).toHaveLength(1);
  });

  it('of the same resource count two revisions', async () => {
    const { call } = await startAdmin({ models: [{ id: 'm', ...primary }] });
    await Promise.all([
      call('PUT', '/admin/v1/models/m', primary),
      call('PUT', '/admin/v1/models/m', primary),
    ]);
    expect((await call('GET', '/admin/v1/models/m')).body).toMatchObject({ revision: 3 });
  });

  it('begin one after the other, and one that fails does not stop the next', async () => {
    const app = await startAdmin();
    const saves = holdSaves(app);
    const first = app.call('POST', '/admin/v1/models', named('first'));
    const failing = await saves.begun(0);
    const second = app.call('POST', '/admin/v1/models', named('second'));
    // Time enough for the second to begin, if it did not wait.
    await app.call('GET', '/admin/v1/models');
    expect(saves.held).toHaveLength(1);
    failing.reject(new Error('no space'));
    (await saves.begun(1)).resolve();
    expect((await first).status).toBe(500);
    expect((await second).status).toBe(200);
    expect(app.registry.current().models).toMatchObject([{ display_name: 'second' }]);
  });
});

describe('a read', () => {
  it('shows what is in force while a write is being saved', async () => {
    const app = await startAdmin();
    const saves = holdSaves(app);
    const writing = app.call('POST', '/admin/v1/models', primary);
    const save = await saves.begun(0);
    expect((await app.call('GET', '/admin/v1/models')).body).toEqual([]);
    save.resolve();
    expect((await writing).status).toBe(200);
    expect((await app.call('GET', '/admin/v1/models')).body).toMatchObject([{ value: primary }]);
  });
});
