import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../../package/installed-package.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const SCRIPT = `
  import { makeAdminRouter } from './lib/model-router/admin/make-admin-router.ts';
  try {
    makeAdminRouter({ keys: ['a'] }, {}, {});
  } catch (error) {
    console.log(error.name, JSON.stringify(error.errors));
  }
`;

describe('a project without express', () => {
  it('is told at once what to install for the admin API', async () => {
    const project = await mkdtemp(path.join(tmpdir(), 'without-express-'));
    onTestFinished(() => rm(project, { recursive: true }));
    await cp(path.join(ROOT, 'lib'), path.join(project, 'lib'), { recursive: true });
    await writeFile(path.join(project, 'package.json'), '{ "type": "module" }');
    await writeFile(path.join(project, 'script.ts'), SCRIPT);
    const tsx = pathToFileURL(path.join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href;
    const { stdout, stderr } = await run(process.execPath, ['--import', tsx, 'script.ts'], project);
    expect(stderr).toBe('');
    const faults = [{ path: 'admin', message: 'needs the package express: npm install express' }];
    expect(stdout).toBe(`ConfigError ${JSON.stringify(faults)}\n`);
  });
});
