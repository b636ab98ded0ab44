import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { isObject, objectsIn } from '../../lib/protocols/json.ts';
import { ADMIN_KEY } from './admin/admin-app.ts';
import { modelOf } from './live-router.ts';

const PROCESS = 'test/model-router/administered-process.js';
const KILLS = 3;
/** Writers at the same time. */
const WRITERS = 4;

async function startProcess(file: string) {
  const child = spawn(process.execPath, [PROCESS, file, ADMIN_KEY], {
    cwd: inject('checkout'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [port] = await once(child.stdout, 'data');
  const models = `http://127.0.0.1:${String(port).trim()}/admin/v1/models`;
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
  return {
    async names(): Promise<ReadonlySet<unknown>> {
      const entries = objectsIn(await (await fetch(models, { headers })).json());
      return new Set(entries.map(({ value }) => (isObject(value) ? value.display_name : undefined)));
    },
    async create(name: string): Promise<boolean> {
      const body = JSON.stringify(modelOf(name, { provider_key_id: 'pk' }));
      return (await fetch(models, { method: 'POST', headers, body })).ok;
    },
    async kill(): Promise<void> {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('a process that is killed while the admin API is written to', () => {
  it('has saved every change that it has answered, and the next one serves them', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'killed-router-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = path.join(folder, 'models.json');
    const acknowledged = new Set<string>();

    async function write(gateway: Awaited<ReturnType<typeof startProcess>>, prefix: string): Promise<void> {
      try {
        for (let number = 0; ; number++) {
          const name = `${prefix}-${number}`;
          if (await gateway.create(name)) acknowledged.add(name);
        }
      } catch {
        // Whatever is not answered was under way when the process was killed.
      }
    }

    for (let kill = 0; kill <= KILLS; kill++) {
      const gateway = await startProcess(file);
      const served = await gateway.names();
      expect([...acknowledged].filter((name) => !served.has(name))).toEqual([]);
      const before = acknowledged.size;
      const writing = Array.from({ length: WRITERS }, (_, writer) => write(gateway, `${kill}-${writer}`));
      while (acknowledged.size === before) await setTimeout(1);
      // Anywhere in the next few writes; wherever it is, what is expected above is the same.
      await setTimeout(Math.random() * 50);
      await gateway.kill();
      await Promise.all(writing);
    }
  }, 180_000);
});
