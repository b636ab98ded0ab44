import { ConfigError } from './config/config-error.ts';
import type { AttemptRecord, FinishRecord, Host, Logger } from './host.ts';
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
  readonly onAttempt: ((attempt: AttemptRecord) => void) | undefined;
  readonly onFinish: ((finish: FinishRecord) => void) | undefined;
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A host's hook may fail without failing the request. */
function harmless<Data>(
  hook: ((data: Data) => unknown) | undefined,
  name: string,
  logger: Logger,
): ((data: Data) => void) | undefined {
  if (hook === undefined) return undefined;
  const report = (error: unknown): void =>
    logger.error(
      { hook: name, reason: error instanceof Error ? error.message : String(error) },
      'a hook failed',
    );
  return (data) => {
    try {
      const result = hook(data);
      if (result instanceof Promise) result.catch(report);
    } catch (error) {
      report(error);
    }
  };
}

function checkServedByHeader(name: string | undefined): string | undefined {
  if (name === undefined || (HEADER_NAME.test(name) && !HOP_BY_HOP.has(name.toLowerCase()))) return name;
  throw new ConfigError([{ path: 'host.servedByHeader', message: 'is not a header name that can be sent' }]);
}

export function resolveHost(host: Host): ResolvedHost {
  const logger = host.logger ?? stderrLogger;
  return {
    logger,
    vars: host.vars,
    secret: host.secret,
    forwardHeaders: host.forwardHeaders ?? false,
    servedByHeader: checkServedByHeader(host.servedByHeader),
    priorityOrder: host.priorityOrder ?? 'highest-first',
    onAttempt: harmless(host.onAttempt, 'onAttempt', logger),
    onFinish: harmless(host.onFinish, 'onFinish', logger),
  };
}
