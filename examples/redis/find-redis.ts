import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { readPath } from '../read-path.ts';
import { listen } from '../support.ts';

export interface FoundRedis {
  host: string;
  port: number;
  /** Ends it if it was started here. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * The Redis that REDIS_HOST and REDIS_PORT name; without them one of our own, which keeps nothing on disk;
 * `undefined` where `redis-server` is not on the PATH.
 */
export async function findRedis(): Promise<FoundRedis | undefined> {
  const { REDIS_HOST: host, REDIS_PORT: port = '6379' } = process.env;
  if (host !== undefined) return { host, port: Number(port), close: async () => {} };
  return startRedis(await freePort());
}

async function startRedis(port: number): Promise<FoundRedis | undefined> {
  const settings = ['--bind', HOST, '--port', String(port), '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', settings, { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'inherit'] });
  // However this process ends, an assertion that fails included.
  process.once('exit', () => child.kill());
  if (!(await isStarted(child))) return undefined;
  return {
    host: HOST,
    port,
    async close() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

function isStarted(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('Ready to accept connections')) resolve(true);
    });
    child.once('error', (error) => {
      if (readPath(error, 'code') === 'ENOENT') resolve(false);
      else reject(error);
    });
    child.once('exit', () => reject(new Error(`redis-server has ended:\n${output}`)));
  });
}

/** Nobody listens there now, which is all that can be known. */
async function freePort(): Promise<number> {
  const site = await listen(() => {});
  await site.close();
  return Number(new URL(site.url).port);
}
