import { inspect } from 'node:util';
import { onTestFinished } from 'vitest';
import type { SharedCounterStore } from '../../../lib/ai-rate-limiting/counter-store.ts';
import { openStore } from '../../../lib/ai-rate-limiting/open-store.ts';
import type { LoadedRedisSettings, LoadedSharedStore } from '../../../lib/config/loaded-rate-limiting.ts';
import type { Host, Logger } from '../../../lib/host.ts';
import type { LogLine } from '../../support/app.ts';
import type { RedisServer } from '../../support/redis.ts';

export interface Journal {
  readonly logger: Logger;
  readonly lines: readonly LogLine[];
  /** Resolves when this many lines have the message. */
  until(message: RegExp, times?: number): Promise<void>;
}

export function keepJournal(): Journal {
  const lines: LogLine[] = [];
  let waiting: (() => void)[] = [];
  const log =
    (level: LogLine['level']) =>
    (data: object, message: string): void => {
      lines.push({ level, data: { ...data }, message });
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    };
  return {
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    lines,
    async until(message, times = 1) {
      while (lines.filter((line) => message.test(line.message)).length < times) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

/** Longer than anything here should take, however slow the machine; what must time out sets its own. */
export const GENEROUS_MS = 15_000;

export function settingsFor(
  { host, port }: Pick<RedisServer, 'host' | 'port'>,
  changes: Partial<LoadedRedisSettings> = {},
): LoadedRedisSettings {
  const defaults = { timeout: GENEROUS_MS, database: 0, ssl: false, sslVerify: true };
  return { policy: 'redis', host, port, ...defaults, ...changes };
}

export interface OpenedStore {
  readonly store: SharedCounterStore;
  readonly journal: Journal;
}

/** A store whose connection nobody shares, closed when the test ends. */
export function open(settings: LoadedSharedStore, secret?: Host['secret']): OpenedStore {
  const journal = keepJournal();
  const store = openStore(settings, { logger: journal.logger, secret });
  onTestFinished(() => store.close());
  return { store, journal };
}

/** Why an attempt to do something failed, with all that hangs on it. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error('something other than an error was thrown');
  }
  throw new Error('nothing failed');
}

/** Everything that can be seen of an error or a log, also what is not printed as a rule. */
export function seen(...values: unknown[]): string {
  return inspect(values, { depth: null, showHidden: true, maxStringLength: null, maxArrayLength: null });
}
