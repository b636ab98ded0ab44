import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ModelRouterStore } from './model-router-store.ts';
import { isLeftover, temporaryName } from './temporary-name.ts';

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the file, which holds secrets.
    throw Object.assign(new Error(`The file ${file} does not hold JSON`), { code: 'NOT_JSON' });
  }
}

async function removeLeftovers(file: string): Promise<void> {
  const folder = path.dirname(file);
  const names = await readdir(folder).catch((error: unknown) => {
    // Without the folder there is no file either, which is no fault before the first save.
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const leftovers = names.filter((name) => isLeftover(name, path.basename(file)));
  await Promise.all(leftovers.map((name) => rm(path.join(folder, name), { force: true })));
}

/** On its own, a rename may be lost with the power. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows, some network file systems and folders that may not be listed do not allow it. The file has been
    // replaced all the same: to call that a failure would be wrong as long as the power stays.
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const folder = path.dirname(file);
  const temporary = path.join(folder, temporaryName(path.basename(file)));
  try {
    await writeDurably(temporary, text);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/**
 * Keeps a model router's configuration in a file, readable for its owner only. The file is replaced as a whole:
 * whenever the process is killed or the power fails, it holds the last configuration that was saved, or the one that
 * was about to be. A symbolic link is replaced, not followed. One process at a time may save.
 *
 * `load` resolves to `undefined` where there is no such file, and rejects where it does not hold JSON. The folder must
 * exist when something is saved.
 *
 * @param file relative to where the process is now
 *
 * @example
 * ```ts
 * const store = fileStore('/var/lib/gateway/models.json');
 * ```
 */
export function fileStore(file: string): ModelRouterStore {
  const absolute = path.resolve(file);
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = last.then(work);
    last = turn.catch(() => {
      // Whoever asked for it is told.
    });
    return turn;
  }

  return {
    load: () =>
      inTurn(async () => {
        await removeLeftovers(absolute);
        const text = await readText(absolute);
        return text === undefined ? undefined : parse(text, absolute);
      }),
    async save(config) {
      // Now, not in its turn: what is saved is what was meant when it was asked for.
      const text = `${JSON.stringify(config, null, 2)}\n`;
      await inTurn(() => replaceFile(absolute, text));
    },
  };
}
