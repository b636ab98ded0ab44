import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LoadedSharedStore, LoadedStore } from '../../../lib/config/loaded-rate-limiting.ts';
import { run } from '../../package/installed-package.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The package's files in a project that has what they depend on, but not ioredis. */
async function copyWithoutIoredis(): Promise<string> {
  const project = await mkdtemp(path.join(tmpdir(), 'without-ioredis-'));
  onTestFinished(() => rm(project, { recursive: true }));
  await cp(path.join(ROOT, 'lib'), path.join(project, 'lib'), { recursive: true });
  await mkdir(path.join(project, 'node_modules'));
  for (const name of ['lru-cache', 'rate-limiter-flexible']) {
    await symlink(path.join(ROOT, 'node_modules', name), path.join(project, 'node_modules', name));
  }
  await writeFile(path.join(project, 'package.json'), '{ "type": "module" }');
  return project;
}

/** Opens a store there and prints what comes of it. */
async function openThere(settings: LoadedStore): Promise<string> {
  const project = await copyWithoutIoredis();
  const script = `
    import { openLocalStore } from './lib/ai-rate-limiting/local-store.ts';
    import { openStore } from './lib/ai-rate-limiting/open-store.ts';
    try {
      const settings = ${JSON.stringify(settings)};
      const surroundings = { logger: {}, secret: undefined };
      const store = settings.policy === 'local' ? openLocalStore() : openStore(settings, surroundings);
      await store.add([{ key: 'a', amount: 1, windowSeconds: 60 }]);
      console.log('used', (await store.read(['a']))[0].used);
    } catch (error) {
      console.log(error.name, JSON.stringify(error.errors));
    }
  `;
  await writeFile(path.join(project, 'script.ts'), script);
  const tsx = pathToFileURL(path.join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href;
  const { stdout, stderr } = await run(process.execPath, ['--import', tsx, 'script.ts'], project);
  expect(stderr).toBe('');
  return stdout;
}

const address = { host: '127.0.0.1', port: 6379 };
const tls = { ssl: false, sslVerify: true };
const times = { connectTimeout: 1000, readTimeout: 1000 };

const settings: readonly LoadedSharedStore[] = [
  { policy: 'redis', ...address, database: 0, timeout: 1000, ...tls },
  { policy: 'redis-cluster', nodes: [address], name: 'counters', timeout: 1000, ...tls },
  { policy: 'redis-sentinel', sentinels: [address], masterName: 'x', role: 'master', database: 0, ...times },
];

describe('a project without ioredis', () => {
  it.each(settings)('is told at once what to install for $policy', async (redis) => {
    const message = `is "${redis.policy}", which needs the package ioredis: npm install ioredis`;
    expect(await openThere(redis)).toBe(`ConfigError ${JSON.stringify([{ path: 'policy', message }])}\n`);
  });

  it('counts in its own memory', async () => {
    expect(await openThere({ policy: 'local' })).toBe('used 1\n');
  });
});
