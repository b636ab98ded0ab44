import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { run } from '../package/installed-package.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

export interface Project {
  /** Runs a module that imports from './lib/index.js' there; what it prints. Rejects when that is not all it prints. */
  run(script: string): Promise<string>;
  remove(): Promise<void>;
}

/** The package's files in a folder where everything is installed but `missing`. */
export async function makeProjectWithout(missing: string): Promise<Project> {
  const folder = await mkdtemp(path.join(tmpdir(), `without-${missing}-`));
  for (const part of ['lib', 'schema']) {
    await cp(path.join(inject('checkout'), part), path.join(folder, part), { recursive: true });
  }
  await mkdir(path.join(folder, 'node_modules'));
  for (const name of await readdir(MODULES)) {
    if (name === missing || name.startsWith('.')) continue;
    await symlink(path.join(MODULES, name), path.join(folder, 'node_modules', name));
  }
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
  return {
    async run(script) {
      await writeFile(path.join(folder, 'script.js'), script);
      const { stdout, stderr } = await run(process.execPath, ['script.js'], folder);
      if (stderr !== '') throw new Error(stderr);
      return stdout;
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
