import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { isJsonObject } from '../../../lib/config/json.ts';
import { fileStore } from '../../../lib/model-router/admin/file-store.ts';

const PROCESS = 'test/model-router/admin/saving-process.js';
const KILLS = 16;

/** Saves from this number on, and is killed in the midst of it: the last number it had acknowledged. */
async function saveUntilKilled(file: string, from: number): Promise<number> {
  const child = spawn(process.execPath, [PROCESS, file, String(from)], {
    cwd: inject('checkout'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  // Anywhere in the next few saves; wherever it is, what is expected below is the same.
  await setTimeout(Math.random() * 20);
  child.kill('SIGKILL');
  await ended;
  return Number(output.trimEnd().split('\n').at(-1));
}

/** The only number that a configuration tells. */
function numberIn(config: unknown): number {
  const models = isJsonObject(config) && Array.isArray(config.models) ? config.models : [];
  expect(models).toHaveLength(500);
  const names = new Set(
    models.map((model: unknown) => (isJsonObject(model) ? model.display_name : undefined)),
  );
  expect(names.size).toBe(1);
  return Number([...names][0]);
}

describe('a process that is killed while it saves', () => {
  it('leaves a whole configuration, never older than the last one acknowledged', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'killed-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const saved = path.join(folder, 'saved');
    await mkdir(saved);
    const file = path.join(saved, 'models.json');
    let from = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const acknowledged = await saveUntilKilled(file, from);
      const found = numberIn(await fileStore(file).load());
      expect([acknowledged, acknowledged + 1]).toContain(found);
      expect(await readdir(saved)).toEqual(['models.json']);
      from = found + 1;
    }
  }, 120_000);
});
