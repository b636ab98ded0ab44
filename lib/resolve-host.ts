import { ConfigError } from './config/config-error.ts';
import type { FinishRecord, HealthChange, Host, Logger, TriedAttempt } from './host.ts';
import { stderrLogger } from './host.ts';
import { HOP_BY_HOP } from './upstream/request-headers.ts';

/** A `Host` with its defaults, whose hooks never throw. */
export interface ResolvedHost {
  readonly logger: Logger;
  readonly vars: Host['vars'];
  readonly secret: Host['secret'];
  readonly forwardHeaders: boolean | readonly string[];
  readonly servedByHeader: string | undefined;
  readonly priorityOrder: 'highest-first' | 'lowest-first';
  /** `undefined` spares the record's making, here and below. */
  readonly onAttempt: ((attempt: TriedAttempt) => void) | undefined;
  readonly onFinish: ((finish: FinishRecord) => void) | undefined;
  readonly onHealth: ((change: HealthChange) => void) | undefined;
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function reportHook(hook: string, error: unknown, logger: Logger): void {
  logger.error({ hook, reason: error instanceof Error ? error.message : String(error) }, 'a hook failed');
}

/** A host's hook may fail without failing the request. */
function harmless<Data>(
  hook: ((data: Data) => unknown) | undefined,
  name: string,
  logger: Logger,
): ((data: Data) => void) | undefined {
  if (hook === undefined) return undefined;
  const report = (error: unknown): void => reportHook(name, error, logger);
  return (data) => {
    try {
      const result = hook(data);
      if (result instanceof Promise) result.catch(report);
    } catch (error) {
      report(error);
    }
  };
}

/** A variable that cannot be read is none, so that what is built on it falls back. */
function harmlessVariables(vars: Host['vars'], logger: Logger): Host['vars'] {
  if (vars === undefined) return undefined;
  return (name, req) => {
    try {
      return vars(name, req) ?? undefined;
    } catch (error) {
      reportHook('vars', error, logger);
      return undefined;
    }
  };
}

const guardedLoggers = new WeakMap<Logger, Logger>();

/** A logger that cannot write must not fail a request, and nothing is left to say so to. */
function guard(write: (data: object, message: string) => void): Logger['warn'] {
  return (data, message) => {
    try {
      write(data, message);
    } catch {
      // Whoever logs cannot be told by a log.
    }
  };
}

/** The same one for the same logger, since what is shared between middlewares goes by their logger. */
function harmlessLogger(logger: Logger): Logger {
  const known = guardedLoggers.get(logger);
  if (known !== undefined) return known;
  const guarded: Logger = {
    debug: guard((data, message) => logger.debug(data, message)),
    info: guard((data, message) => logger.info(data, message)),
    warn: guard((data, message) => logger.warn(data, message)),
    error: guard((data, message) => logger.error(data, message)),
  };
  guardedLoggers.set(logger, guarded);
  return guarded;
}

/** @throws ConfigError unless it is the name of a header that can be sent, or `undefined` */
export function checkHeaderName(name: string | undefined, path: string): string | undefined {
  if (name === undefined || (HEADER_NAME.test(name) && !HOP_BY_HOP.has(name.toLowerCase()))) return name;
  throw new ConfigError([{ path, message: 'is not a header name that can be sent' }]);
}

export function resolveHost(host: Host): ResolvedHost {
  const logger = harmlessLogger(host.logger ?? stderrLogger);
  return {
    logger,
    vars: harmlessVariables(host.vars, logger),
    secret: host.secret,
    forwardHeaders: host.forwardHeaders ?? false,
    servedByHeader: checkHeaderName(host.servedByHeader, 'host.servedByHeader'),
    priorityOrder: host.priorityOrder ?? 'highest-first',
    onAttempt: harmless(host.onAttempt, 'onAttempt', logger),
    onFinish: harmless(host.onFinish, 'onFinish', logger),
    onHealth: harmless(host.onHealth, 'onHealth', logger),
  };
}
