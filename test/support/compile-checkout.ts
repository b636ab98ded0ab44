import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type PluginBuild } from 'esbuild';
import type { TestProject } from 'vitest/node';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the checkout in plain JavaScript. */
    checkout: string;
  }
}

/** What an example starts as a process of its own lies beside it as JavaScript. */
function nameCompiledScripts({ onLoad }: PluginBuild): void {
  onLoad({ filter: /examples\/[\w-]+\.ts$/ }, async ({ path }) => ({
    contents: (await readFile(path, 'utf8')).replaceAll(
      /(?<=new URL\('[\w/-]+)\.ts(?=', import\.meta\.url)/g,
      '.js',
    ),
    loader: 'ts',
  }));
}

/**
 * Compiles the package, the examples and what tests run as processes of their own, once for all tests: such a process
 * then starts several times sooner than through a loader.
 */
export default async function compileCheckout(project: TestProject): Promise<() => Promise<void>> {
  const checkout = await mkdtemp(path.join(tmpdir(), 'ai-proxy-multi-checkout-'));
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['lib/index.ts', 'examples/**/*.ts', 'test/**/*-process.ts'],
    outdir: checkout,
    outbase: ROOT,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    // Not the project's, whose paths lead past the package's name.
    tsconfigRaw: {},
    logLevel: 'error',
    // A file to load instead of hundreds, which is most of the time that a process takes to start. What several of
    // the entry points need lies as deep in the folder as the modules that read the schemas.
    bundle: true,
    splitting: true,
    chunkNames: 'lib/shared/[hash]',
    plugins: [{ name: 'names of scripts', setup: nameCompiledScripts }],
  });
  // As the package finds itself by its name where it is installed.
  const manifest = { name: 'ai-proxy-multi', type: 'module', exports: './lib/index.js' };
  await writeFile(path.join(checkout, 'package.json'), JSON.stringify(manifest));
  await symlink(path.join(ROOT, 'schema'), path.join(checkout, 'schema'));
  await symlink(path.join(ROOT, 'node_modules'), path.join(checkout, 'node_modules'));
  // What one process has compiled, the next one need not (Node 22.1 and later).
  process.env.NODE_COMPILE_CACHE ??= path.join(checkout, 'compile-cache');
  project.provide('checkout', checkout);
  return () => rm(checkout, { recursive: true });
}
