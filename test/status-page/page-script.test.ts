import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { script } from '../../lib/status-page/page/script.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the script's comments speak of. */
const TYPES = `
type AddressHealth = import('${ROOT}lib/status.ts').AddressHealth;
type FallbackStatus = import('${ROOT}lib/status.ts').FallbackStatus;
type GatewayStatus = import('${ROOT}lib/status.ts').GatewayStatus;
type HealthState = import('${ROOT}lib/status.ts').HealthState;
type InstanceStatus = import('${ROOT}lib/status.ts').InstanceStatus;
type Percentiles = import('${ROOT}lib/status.ts').Percentiles;
type NamedStatus = import('${ROOT}lib/status-page/status-document.ts').NamedStatus;
type StatusDocument = import('${ROOT}lib/status-page/status-document.ts').StatusDocument;
`;

const OPTIONS = {
  allowJs: true,
  checkJs: true,
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  target: 'es2023',
  lib: ['es2023', 'dom', 'dom.iterable'],
  module: 'nodenext',
  moduleDetection: 'force',
  types: ['node'],
  typeRoots: [`${ROOT}node_modules/@types`],
};

/** What the compiler finds wrong in a script of the page's, a line each. */
async function faultsOf(source: string): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'status-page-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(path.join(directory, 'types.d.ts'), TYPES);
  await writeFile(path.join(directory, 'script.js'), source);
  await writeFile(
    path.join(directory, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: OPTIONS, files: ['types.d.ts', 'script.js'] }),
  );
  const compiler = spawn(
    process.execPath,
    [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', directory],
    { cwd: directory },
  );
  const [output] = await Promise.all([text(compiler.stdout), once(compiler, 'close')]);
  // The package's own sources are checked with its own options elsewhere.
  return output
    .split(/\n(?!\s)/)
    .filter((line) => line.includes('script.js'))
    .join('\n');
}

it('has a script that fits the types of status()', async () => {
  expect(await faultsOf(script)).toBe('');
}, 60_000);

it('would not have one that speaks of what status() does not hold', async () => {
  const faults = await faultsOf(script.replace('fallbacks.out', 'fallbacks.outwards'));
  expect(faults).toContain('outwards');
}, 60_000);
