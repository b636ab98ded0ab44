import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Keys that would make an example call a real provider, and what would make it use somebody's real Redis. */
const REAL_SERVICES = ['OPENAI_API_KEY', 'DEEPSEEK_API_KEY', 'ANTHROPIC_API_KEY', 'REDIS_HOST', 'REDIS_PORT'];

export interface RunningExample {
  /** Resolves with the first match in what it has printed so far or prints later; rejects if it ends without. */
  waitFor(pattern: RegExp): Promise<RegExpMatchArray>;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<{ code: number | null; output: string }>;
}

/** Runs an example as its reader would, less the process that tsx starts it from, but never with what is in the environment for real services. */
export function runExample(file: string, env: Record<string, string> = {}): RunningExample {
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${file}`], {
    cwd: root,
    env: { ...withoutRealServices(process.env), TSX_TSCONFIG_PATH: 'examples/tsconfig.json', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return follow(child);
}

/** The same example in plain JavaScript, which starts several times sooner. */
export function runCompiledExample(file: string, env: Record<string, string> = {}): RunningExample {
  const child = spawn(process.execPath, [`examples/${file.replace(/ts$/, 'js')}`], {
    cwd: inject('checkout'),
    env: { ...withoutRealServices(process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return follow(child);
}

function withoutRealServices(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !REAL_SERVICES.includes(name)));
}

function follow(child: ChildProcess): RunningExample {
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
  return {
    ended,
    kill: (signal) => child.kill(signal),
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = output.match(pattern);
          if (!match) return;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
        ended.then(() => reject(new Error(`ended without ${pattern}:\n${output}`)), reject);
      }),
  };
}
