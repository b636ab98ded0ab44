import { once } from 'node:events';
import http from 'node:http';
import { onTestFinished } from 'vitest';
import { compilePlan } from '../../lib/compile-plan.ts';
import { loadMultiConfig } from '../../lib/config/load-config.ts';
import { makeGateway } from '../../lib/gateway.ts';
import { makeHealthChecks } from '../../lib/health/health-checks.ts';
import { resolveHost } from '../../lib/resolve-host.ts';
import type { InstanceHealth } from '../../lib/status.ts';
import { makeCooldowns } from '../../lib/upstream/kept-cooldowns.ts';
import { instance, type LogLine, serve } from '../support/app.ts';
import { answerJson, chatAnswer } from '../support/upstream.ts';
import { type ActiveChecks, type HealthLog, logHealth, quickChecks } from './health-app.ts';

/** One of several machines behind a name: answers as its address, on a port that all of them have. */
export interface Machine {
  readonly address: string;
  readonly port: number;
  /** Probes so far. */
  readonly probes: number;
  /** Connections other than probes'. */
  readonly clients: ReadonlySet<http.IncomingMessage['socket']>;
  fallIll(): void;
  recover(): void;
  /** Keeps chats waiting from now on. */
  hold(): void;
  /** Answers those that wait. */
  release(): void;
}

async function startMachine(address: string, port: number): Promise<Machine> {
  let isIll = false;
  let probes = 0;
  let holds = false;
  const held: http.ServerResponse[] = [];
  const clients = new Set<http.IncomingMessage['socket']>();
  const server = http.createServer((req, res) => {
    req.resume();
    if (req.url === '/health') {
      probes++;
      answerJson(res, isIll ? 503 : 200, {});
      return;
    }
    clients.add(req.socket);
    if (holds) held.push(res);
    else answerJson(res, 200, chatAnswer(address));
  });
  // It keeps idle connections for ever.
  server.keepAliveTimeout = 0;
  server.listen(port, address);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has a port');
  return {
    address,
    port: bound.port,
    get probes() {
      return probes;
    },
    clients,
    fallIll() {
      isIll = true;
    },
    recover() {
      isIll = false;
    },
    hold() {
      holds = true;
    },
    release() {
      holds = false;
      for (const res of held.splice(0)) answerJson(res, 200, chatAnswer(address));
    },
  };
}

/** Two machines, at 127.0.0.1 and 127.0.0.2. */
export async function startMachines(): Promise<readonly [Machine, Machine]> {
  const first = await startMachine('127.0.0.1', 0);
  return [first, await startMachine('127.0.0.2', first.port)];
}

/** What a name stands for at the moment. */
export interface Name {
  addresses: readonly string[];
  /** The code of the error that looking it up ends in. */
  failure: string | undefined;
  /** Resolves after that many further lookups have ended and been taken note of. */
  lookedUp(count: number): Promise<void>;
}

export interface Addressed extends HealthLog {
  readonly url: string;
  readonly name: Name;
  readonly logs: readonly LogLine[];
  /** Resolves with the first line that has this in its message. */
  logged(message: string): Promise<LogLine>;
  health(): InstanceHealth | undefined;
}

interface Setting {
  readonly checks?: ActiveChecks;
  readonly keepalive?: boolean;
}

/** A gateway whose only instance, `a`, has a name that is looked up where the test says, every few milliseconds. */
export async function startAddressed(
  port: number,
  addresses: readonly string[],
  { checks = {}, keepalive = true }: Setting = {},
): Promise<Addressed> {
  let waiting: (() => void)[] = [];
  const tick = (): void => {
    const called = waiting;
    waiting = [];
    for (const resolve of called) resolve();
  };
  const change = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  let lookups = 0;
  const name: Name = {
    addresses,
    failure: addresses.length === 0 ? 'ENOTFOUND' : undefined,
    async lookedUp(count) {
      // The next lookup but one begins only when the one before has been taken note of.
      const target = lookups + count + 1;
      while (lookups < target) await change();
    },
  };
  const logs: LogLine[] = [];
  const log = (level: LogLine['level']) => (data: object, message: string) => {
    logs.push({ level, data: { ...data }, message });
    tick();
  };
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const healthLog = logHealth();
  const host = resolveHost({ logger, onHealth: healthLog.onHealth });
  const healthChecks = makeHealthChecks(host, {
    everyMs: 5,
    async resolve() {
      lookups++;
      tick();
      if (name.failure !== undefined) throw Object.assign(new Error('no address'), { code: name.failure });
      return name.addresses;
    },
  });
  const config = { keepalive, instances: [instance('a', `http://llm.test:${port}`, quickChecks(checks))] };
  const loaded = loadMultiConfig(config, logger, { hasSecretResolver: false });
  const plan = compilePlan(loaded, host, { checks: healthChecks, cooldowns: makeCooldowns() });
  onTestFinished(() => plan.close());
  const gateway = makeGateway(() => plan, host);
  const { url } = await serve((req, res) => gateway.handle(req, res));
  return {
    ...healthLog,
    url,
    name,
    logs,
    async logged(message) {
      for (;;) {
        const line = logs.find((candidate) => candidate.message.includes(message));
        if (line !== undefined) return line;
        await change();
      }
    },
    health: () => plan.instances[0]?.health?.status(),
  };
}
