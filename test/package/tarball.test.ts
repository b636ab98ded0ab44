import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPath } from '../../examples/read-path.ts';
import { type InstalledPackage, installPackage } from './installed-package.ts';

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage();
}, 120_000);
afterAll(() => installed.remove());

function read(file: string): Promise<string> {
  return readFile(path.join(installed.root, file), 'utf8');
}

/** Names of packages that a script of the package imports. */
function importedPackages(source: string): string[] {
  const specifiers = [...source.matchAll(/^(?:import|export)\b[^;]*? from '([^']+)';$/gm)].map(
    ([, name = '']) => name,
  );
  return specifiers
    .filter((name) => !name.startsWith('.') && !name.startsWith('node:') && !builtinModules.includes(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
}

async function importsOf(files: RegExp): Promise<readonly string[]> {
  const sources = await Promise.all(installed.files.filter((file) => files.test(file)).map(read));
  return sources.flatMap(importedPackages);
}

describe('the tarball', () => {
  it('holds the build, the schemas and papers, and nothing else', () => {
    const allowed =
      /^(?:dist\/[\w/-]+\.(?:js|d\.ts)|schema\/[\w-]+\.json|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
    expect(installed.files.filter((file) => !allowed.test(file))).toEqual([]);
  });

  it.each([
    'dist/index.js',
    'dist/index.d.ts',
    'schema/ai-proxy-multi.json',
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
  ])('holds %s', (file) => {
    expect(installed.files).toContain(file);
  });

  it('holds the types of every script', () => {
    const scripts = installed.files.filter((file) => file.endsWith('.js'));
    const types = scripts.map((file) => file.replace(/\.js$/, '.d.ts'));
    expect(installed.files).toEqual(expect.arrayContaining(types));
  });

  it('holds no script that names a source map', async () => {
    const scripts = installed.files.filter((file) => file.endsWith('.js'));
    const sources = await Promise.all(scripts.map(read));
    expect(sources.filter((source) => source.includes('sourceMappingURL'))).toEqual([]);
  });

  it('imports nothing that the package does not depend on', async () => {
    const declared = Object.keys(readPath(installed.manifest, 'dependencies') ?? {});
    const imported = await importsOf(/^dist\/.*\.js$/);
    expect(imported).toContain('ajv');
    expect(imported.filter((name) => !declared.includes(name))).toEqual([]);
  });

  it('has types that name no package but those and its optional peers', async () => {
    const known = ['dependencies', 'peerDependencies'].flatMap((field) =>
      Object.keys(readPath(installed.manifest, field) ?? {}),
    );
    const imported = await importsOf(/^dist\/.*\.d\.ts$/);
    expect(imported.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('brings no script that npm would run at its user', () => {
    const scripts = Object.keys(readPath(installed.manifest, 'scripts') ?? {});
    expect(scripts.filter((name) => /^(?:pre|post)?install$/.test(name))).toEqual([]);
  });
});
