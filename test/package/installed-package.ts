import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { readPath } from '../../examples/read-path.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Long after anything here should have ended by itself. */
const KILLED_AFTER_MS = 60_000;

export interface Run {
  /** `null` for a process that had to be killed since it did not end by itself. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(command: string, parameters: readonly string[], cwd: string): Promise<Run> {
  // What npm and Vitest tell their children is not what a user's shell holds.
  const { PATH, HOME } = process.env;
  const child = spawn(command, parameters, { cwd, env: { PATH, HOME }, timeout: KILLED_AFTER_MS });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

async function runWell(command: string, parameters: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(command, parameters, cwd);
  if (code !== 0) throw new Error(`${command} ${parameters.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

export interface InstalledPackage {
  /** A project of a user, with nothing in it but the package and what the package depends on. */
  readonly project: string;
  /** The package inside it. */
  readonly root: string;
  /** Paths of the files that the tarball held. */
  readonly files: readonly string[];
  readonly manifest: unknown;
  /** Writes a file into the project. */
  write(file: string, text: string): Promise<void>;
  /** Runs a script in the project with Node. */
  node(file: string, source: string, ...parameters: string[]): Promise<Run>;
  remove(): Promise<void>;
}

/** A copy of the checkout, built: packing there disturbs nobody, and what must stay out of the tarball is there. */
async function stage(directory: string): Promise<void> {
  const outside = new Set(['node_modules', 'dist', '.git']);
  await cp(ROOT, directory, {
    recursive: true,
    filter: (source) => !outside.has(path.relative(ROOT, source)),
  });
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  await runWell(
    process.execPath,
    [compiler, '-p', path.join(ROOT, 'tsconfig.json'), '--outDir', path.join(directory, 'dist')],
    ROOT,
  );
}

/** `npm pack`, as it would be published, without the build that has been done. */
async function pack(directory: string): Promise<string> {
  await runWell('npm', ['pack', '--ignore-scripts', '--pack-destination', '..'], directory);
  const above = path.dirname(directory);
  const tarball = (await readdir(above)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack left no tarball');
  return path.join(above, tarball);
}

const RESULT = 'result.json';

/** Packs into a folder of its own, and leaves there the tarball's path, or why there is none. */
async function packInto(place: string): Promise<void> {
  const staged = path.join(place, 'staged', 'package');
  const said = path.join(place, 'said');
  try {
    await mkdir(path.dirname(staged));
    await stage(staged);
    await writeFile(said, JSON.stringify({ tarball: await pack(staged) }));
  } catch (error) {
    await writeFile(said, JSON.stringify({ failure: String(error) }));
  }
  // Whoever sees the file sees all of it.
  await rename(said, path.join(place, RESULT));
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Packs once for all test files, in whichever process asks first; the others wait. */
async function packedOnce(): Promise<string> {
  const place = path.join(inject('checkout'), 'packed');
  try {
    await mkdir(place);
    await packInto(place);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  for (;;) {
    const text = await readFile(path.join(place, RESULT), 'utf8').catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    const result: unknown = text === undefined ? undefined : JSON.parse(text);
    const tarball = readPath(result, 'tarball');
    if (typeof tarball === 'string') return tarball;
    if (result !== undefined) throw new Error(String(readPath(result, 'failure')));
    await pause(50);
  }
}

async function link(project: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const place = path.join(project, 'node_modules', name);
    await mkdir(path.dirname(place), { recursive: true });
    await symlink(path.join(ROOT, 'node_modules', name), place);
  }
}

/**
 * Packs the package and installs it, without a network, into an empty project.
 *
 * @param alongside further packages that the user of the package has
 */
export async function installPackage(...alongside: string[]): Promise<InstalledPackage> {
  const workspace = await mkdtemp(path.join(tmpdir(), 'ai-proxy-multi-'));
  const project = path.join(workspace, 'project');
  const root = path.join(project, 'node_modules/ai-proxy-multi');
  const tarball = await packedOnce();
  await mkdir(root, { recursive: true });
  await runWell('tar', ['-xzf', tarball, '-C', root, '--strip-components=1'], workspace);
  const manifest: unknown = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  await link(project, [...Object.keys(readPath(manifest, 'dependencies') ?? {}), ...alongside]);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));

  async function write(file: string, text: string): Promise<void> {
    await mkdir(path.dirname(path.join(project, file)), { recursive: true });
    await writeFile(path.join(project, file), text);
  }
  return {
    project,
    root,
    files,
    manifest,
    write,
    async node(file, source, ...parameters) {
      await write(file, source);
      return run(process.execPath, [file, ...parameters], project);
    },
    remove: () => rm(workspace, { recursive: true, force: true }),
  };
}

/** Compiles a directory of the project by its tsconfig.json. */
export function compile(installed: InstalledPackage, directory: string): Promise<Run> {
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  return run(process.execPath, [compiler, '--noEmit', '-p', directory], installed.project);
}
