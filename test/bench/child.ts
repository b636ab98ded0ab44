import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a gateway's process has used since it started. */
export interface Usage {
  cpuMicros: number;
  rssBytes: number;
  heapBytes: number;
}

/** A server in a process of its own. */
export interface Child {
  origin: string;
  usage(): Promise<Usage>;
  /** Usage after two full garbage collections. */
  collect(): Promise<Usage>;
  stop(): Promise<void>;
}

function numberAt(message: unknown, key: string): number {
  const value: unknown =
    typeof message === 'object' && message !== null ? Reflect.get(message, key) : undefined;
  if (typeof value !== 'number') throw new Error(`a child sent no ${key}: ${JSON.stringify(message)}`);
  return value;
}

/** The next message, or a failure when the process ends instead. */
async function answerOf(child: ChildProcess, name: string): Promise<unknown> {
  const ended = new AbortController();
  const onExit = (code: number | null): void => ended.abort(new Error(`${name} ended with code ${code}`));
  child.once('exit', onExit);
  try {
    const [message]: unknown[] = await once(child, 'message', { signal: ended.signal });
    return message;
  } catch (error) {
    throw ended.signal.aborted ? ended.signal.reason : error;
  } finally {
    child.off('exit', onExit);
  }
}

/**
 * Starts `module` (relative to this file) and waits until it listens.
 * Standard output goes to standard error: the parent's own is the table.
 */
export async function startChild(module: string, args: string[], execArgv: string[]): Promise<Child> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
    execArgv,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  const port = numberAt(await answerOf(child, module), 'port');

  async function ask(question: string): Promise<Usage> {
    child.send(question);
    const message = await answerOf(child, module);
    return {
      cpuMicros: numberAt(message, 'cpuMicros'),
      rssBytes: numberAt(message, 'rssBytes'),
      heapBytes: numberAt(message, 'heapBytes'),
    };
  }

  return {
    origin: `http://127.0.0.1:${port}`,
    usage: () => ask('usage'),
    collect: () => ask('collect'),
    async stop() {
      if (child.exitCode !== null) return;
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
