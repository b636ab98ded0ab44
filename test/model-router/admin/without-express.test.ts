import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { run } from '../../package/installed-package.ts';

const SCRIPT = `
  import { makeAdminRouter } from './lib/model-router/admin/make-admin-router.js';
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
    await cp(path.join(inject('checkout'), 'lib'), path.join(project, 'lib'), { recursive: true });
    await writeFile(path.join(project, 'package.json'), '{ "type": "module" }');
    await writeFile(path.join(project, 'script.js'), SCRIPT);
    const { stdout, stderr } = await run(process.execPath, ['script.js'], project);
    expect(stderr).toBe('');
    const faults = [{ path: 'admin', message: 'needs the package express: npm install express' }];
    expect(stdout).toBe(`ConfigError ${JSON.stringify(faults)}\n`);
  });
});
