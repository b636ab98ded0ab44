import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../package/installed-package.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * A script of the tests in plain JavaScript, where it finds what the package needs: it starts many times, each time
 * far sooner than with a loader.
 */
export async function compileProcess(script: string, folder: string): Promise<string> {
  const compilerOptions = {
    rootDir: ROOT,
    outDir: path.join(folder, 'out'),
    declaration: false,
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
  };
  const settings = {
    extends: path.join(ROOT, 'tsconfig.json'),
    compilerOptions,
    files: [script],
    include: [],
  };
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(settings));
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
  await run(process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], folder);
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  await symlink(path.join(ROOT, 'schema'), path.join(folder, 'out/schema'));
  return path.join(folder, 'out', path.relative(ROOT, script).replace(/ts$/, 'js'));
}
