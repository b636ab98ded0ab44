import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileStore } from '../../../lib/model-router/admin/file-store.ts';
import type { WrittenModelRouter } from '../../../lib/model-router/admin/registry.ts';
import { openaiKey } from './admin-app.ts';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'file-store-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

function configOf(name: string): WrittenModelRouter {
  return {
    provider_keys: [{ id: 'pk', ...openaiKey, api_key: '$env://KEY' }],
    models: [{ id: 'm', display_name: name }],
  };
}

/** The id of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--eval', '0']);
  await once(child, 'close');
  return child.pid ?? 0;
}

const UUID = '00000000-0000-4000-8000-000000000000';

describe('a file store', () => {
  it('loads nothing where there is no file, or no folder', async () => {
    const folder = await makeFolder();
    expect(await fileStore(path.join(folder, 'models.json')).load()).toBeUndefined();
    expect(await fileStore(path.join(folder, 'no-folder', 'models.json')).load()).toBeUndefined();
  });

  it('loads what was saved, references as they were written', async () => {
    const file = path.join(await makeFolder(), 'models.json');
    await fileStore(file).save(configOf('one'));
    expect(await fileStore(file).load()).toEqual(configOf('one'));
    expect(await readFile(file, 'utf8')).toContain('"$env://KEY"');
  });

  it('replaces what was there, and leaves nothing else behind', async () => {
    const folder = await makeFolder();
    const store = fileStore(path.join(folder, 'models.json'));
    await store.save(configOf('one'));
    await store.save(configOf('two'));
    expect(await store.load()).toEqual(configOf('two'));
    expect(await readdir(folder)).toEqual(['models.json']);
  });

  it('makes the file readable for its owner only, even where it was not before', async () => {
    const file = path.join(await makeFolder(), 'models.json');
    await writeFile(file, '{}', { mode: 0o644 });
    await fileStore(file).save(configOf('one'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('saves one after the other, as they were when they were asked for', async () => {
    const store = fileStore(path.join(await makeFolder(), 'models.json'));
    const changing = { provider_keys: [], models: [{ id: 'm', display_name: 'before' }] };
    const names = Array.from({ length: 20 }, (_, index) => `model-${index}`);
    const saves = [...names.map((name) => store.save(configOf(name))), store.save(changing)];
    changing.models = [];
    await Promise.all(saves);
    expect(await store.load()).toMatchObject({ models: [{ display_name: 'before' }] });
  });

  it('says which file does not hold JSON, and never what it holds', async () => {
    const file = path.join(await makeFolder(), 'models.json');
    await writeFile(file, '{"api_key":"sk-of-openai"');
    const failed = await fileStore(file)
      .load()
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Error);
    expect(failed).toMatchObject({ message: `The file ${file} does not hold JSON` });
    expect(failed).not.toHaveProperty('cause');
  });

  it('rejects a file it cannot read', async () => {
    await expect(fileStore(await makeFolder()).load()).rejects.toThrow('EISDIR');
  });

  it('rejects a save that fails, leaves nothing behind, and takes the next', async () => {
    const folder = await makeFolder();
    const file = path.join(folder, 'models.json');
    const store = fileStore(file);
    await mkdir(path.join(file, 'in-the-way'), { recursive: true });
    await expect(store.save(configOf('one'))).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['models.json']);
    await rm(file, { recursive: true });
    await store.save(configOf('two'));
    expect(await store.load()).toEqual(configOf('two'));
  });

  it('saves in a folder that may be written to, but not listed and synced', async () => {
    const folder = await makeFolder();
    const file = path.join(folder, 'models.json');
    await chmod(folder, 0o333);
    const isRoot = process.getuid?.() === 0;
    // Root may do anything.
    if (isRoot) process.seteuid?.(65_534);
    try {
      await fileStore(file).save(configOf('one'));
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
    await chmod(folder, 0o700);
    expect(await fileStore(file).load()).toEqual(configOf('one'));
  });

  it('removes what killed processes left, and nothing else', async () => {
    const folder = await makeFolder();
    const gone = await endedProcess();
    const kept = [
      'models.json',
      // Being written by a process that runs.
      `.models.json.${process.ppid}.${UUID}.tmp`,
      `.other.json.${gone}.${UUID}.tmp`,
      '.models.json.tmp',
      `.models.json.${gone}.tmp`,
      `.models.json.${gone}.${UUID}.tmp.bak`,
    ];
    const left = [`.models.json.${gone}.${UUID}.tmp`, `.models.json.${process.pid}.${UUID}.tmp`];
    await Promise.all([...kept, ...left].map((name) => writeFile(path.join(folder, name), '{}')));
    await fileStore(path.join(folder, 'models.json')).load();
    expect((await readdir(folder)).sort()).toEqual([...kept].sort());
  });
});
