import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, onTestFinished } from 'vitest';
import { selfSigned } from './tls.ts';

function isInstalled(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

const installed = isInstalled();
if (!installed) {
  const message = 'redis-server is not in the PATH';
  if (process.env.CI === 'true') throw new Error(`${message}: nothing that needs Redis can be tested`);
  console.warn(`Skipped, since ${message}`);
}

/** `describe`, skipped where there is no redis-server. With CI=true in the environment, its absence is a failure. */
export const describeWithRedis: ReturnType<typeof describe.skipIf> = describe.skipIf(!installed);

export interface RedisOptions {
  readonly password?: string;
  /** Speaks TLS alone, with the certificate of `selfSigned`. */
  readonly tls?: boolean;
  /** Further lines of its configuration file. */
  readonly config?: readonly string[];
  /** Runs it as a sentinel. */
  readonly sentinel?: boolean;
}

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** Sends one command over a connection of its own. */
  call(command: string, ...parameters: (string | number)[]): Promise<unknown>;
  /** Kills it, without a chance to say goodbye. */
  stop(): Promise<void>;
  /** Kills it, should it run, and starts an empty one on the same port. */
  restart(): Promise<void>;
  /** From now on it answers nothing; the kernel goes on taking connections and bytes for it. */
  pause(): void;
  resume(): void;
}

const HOST = '127.0.0.1';

/**
 * Redis runs for as long as somebody holds this shell's standard input open: however the test's process ends, even
 * killed, the pipe closes, and Redis ends with it.
 */
const GUARD = `
  exec 3<&0
  redis-server "$@" 2>&1 3<&- & redis=$!
  echo "redis runs as $redis,"
  exec 2> /dev/null
  { cat <&3 > /dev/null; kill -KILL $redis; } &
  wait $redis
`;

/** What it prints when it answers; a sentinel has another last word than a server. */
const READY = /Ready to accept connections|\+monitor master/;

// Below the ports that systems give to connections, of which one could take this one while Redis is down.
const LOWEST_PORT = 20_000;
/** Of each of the processes that run tests at the same time: what one is about to use, no other picks. */
const PORTS = 750;
const PROCESSES = 16;
const firstPort = LOWEST_PORT + (Number(process.env.VITEST_POOL_ID ?? 0) % PROCESSES) * PORTS;
let picked = Math.floor(Math.random() * PORTS);

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  try {
    await once(server.listen(port, HOST), 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}

/** A port that nobody listens on, and nobody will be given by chance. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = firstPort + (picked++ % PORTS);
    if (await isFree(port)) return port;
  }
}

/** Asks until the answer is yes, for what nobody tells of by itself. The test's own time-out ends it. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(20);
}

/** Resolves with everything printed as soon as that matches; rejects when the process ends before. */
function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (pattern.test(output)) resolve(output);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server could not be started: ${output}`)));
  });
}

interface RunningRedis {
  readonly id: number;
  kill(): Promise<void>;
}

async function run(parameters: readonly string[]): Promise<RunningRedis> {
  const child = spawn('sh', ['-c', GUARD, 'guard', ...parameters], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const output = await printed(child, READY);
  const id = Number(/redis runs as (\d+),/.exec(output)?.[1]);
  return {
    id,
    async kill() {
      child.stdin.end();
      await exited;
    },
  };
}

function configuration(directory: string, port: number, options: RedisOptions): string[] {
  const { password, tls = false, config = [] } = options;
  const lines = [`dir ${directory}`, `bind ${HOST}`, 'daemonize no'];
  if (!options.sentinel) lines.push('save ""', 'appendonly no');
  if (password !== undefined) lines.push(`requirepass "${password}"`, `masterauth "${password}"`);
  if (tls) {
    const { key, cert } = selfSigned();
    writeFileSync(join(directory, 'key.pem'), key);
    writeFileSync(join(directory, 'cert.pem'), cert);
    lines.push('port 0', `tls-port ${port}`, 'tls-auth-clients no', 'tls-ca-cert-file cert.pem');
    lines.push('tls-key-file key.pem', 'tls-cert-file cert.pem');
  } else {
    lines.push(`port ${port}`);
  }
  return [...lines, ...config];
}

/** A real Redis that keeps nothing on disk, on a port of its own, killed when the test ends. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const file = join(directory, 'redis.conf');
  const parameters = options.sentinel ? [file, '--sentinel'] : [file];
  let running: RunningRedis | undefined;

  async function start(): Promise<void> {
    writeFileSync(file, configuration(directory, port, options).join('\n'));
    running = await run(parameters);
  }
  async function stop(): Promise<void> {
    await running?.kill();
    running = undefined;
  }
  function signal(name: NodeJS.Signals): void {
    if (running === undefined) throw new Error('Redis does not run');
    process.kill(running.id, name);
  }
  async function call(command: string, ...commandParameters: (string | number)[]): Promise<unknown> {
    const client = new Redis({
      host: HOST,
      port,
      lazyConnect: true,
      retryStrategy: null,
      ...(options.password === undefined ? {} : { password: options.password }),
      ...(options.tls ? { tls: { rejectUnauthorized: false } } : {}),
      ...(options.sentinel ? { enableReadyCheck: false, disableClientInfo: true } : {}),
    });
    // What goes wrong is what the command rejects with.
    client.on('error', () => {});
    try {
      return await client.call(command, ...commandParameters);
    } finally {
      client.disconnect();
    }
  }

  onTestFinished(async () => {
    await stop();
    rmSync(directory, { recursive: true });
  });
  await start();
  await call('PING');
  return {
    host: HOST,
    port,
    call,
    stop,
    async restart() {
      await stop();
      await start();
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
  };
}
