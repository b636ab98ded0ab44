import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('a process with background checks that it never closes ends by itself', async () => {
  const child = spawn(
    `${root}node_modules/.bin/tsx`,
    ['--tsconfig', 'test/tsconfig.json', 'test/health/background-exits-by-itself.ts'],
    { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
});
