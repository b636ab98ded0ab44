import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../answer/gateway-error.ts';
import type { LoadedLimit, LoadedRateLimiting } from '../config/loaded-rate-limiting.ts';
import { compileTemplate } from '../request/variable-template.ts';
import type { Variables } from '../request/variables.ts';
import { compileAmount } from './amount.ts';
import { headersOfInstance, headersOfRule, type QuotaHeaders } from './quota-headers.ts';

/** One counter as one request sees it. */
export interface Meter {
  /** Where the store keeps it. */
  readonly key: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly headers: QuotaHeaders;
}

/** `undefined` where it does not apply to this request. */
type ReadMeter = (req: IncomingMessage, variables: Variables) => Meter | undefined;

function invalidQuota(): GatewayError {
  return new GatewayError(500, 'invalid_quota', 'The limit of this request is not a whole number above 0.');
}

function meterReader(
  { limit, timeWindow }: LoadedLimit,
  headers: QuotaHeaders,
  readKey: (req: IncomingMessage, variables: Variables) => string | undefined,
): ReadMeter {
  const readLimit = compileAmount(limit);
  const readWindow = compileAmount(timeWindow);
  return (req, variables) => {
    const key = readKey(req, variables);
    if (key === undefined) return undefined;
    const amount = readLimit(req, variables);
    const windowSeconds = readWindow(req, variables);
    // Anything milder would let a client whose headers the limit is read from switch it off.
    if (amount === undefined || windowSeconds === undefined) throw invalidQuota();
    return { key, limit: amount, windowSeconds, headers };
  };
}

/** The counters of one limiter. */
export interface Meters {
  /**
   * Those that apply when this instance answers this request.
   *
   * @throws GatewayError 500 `invalid_quota`
   */
  read(instance: string, req: IncomingMessage, variables: Variables): readonly Meter[];
}

function compileRules({ rules }: LoadedRateLimiting, keyStart: string): Meters['read'] {
  const readers = rules.map((rule, index) => {
    const template = compileTemplate(rule.key);
    return meterReader(rule, headersOfRule(rule.headerPrefix), (req, variables) => {
      const { text, resolved } = template(req, variables);
      return resolved === 0 ? undefined : `${keyStart}${index}:${text}`;
    });
  });
  return (_instance, req, variables) => readers.flatMap((read) => read(req, variables) ?? []);
}

function compileInstances({ instances, global }: LoadedRateLimiting, keyStart: string): Meters['read'] {
  const compile = (name: string, limit: LoadedLimit): ReadMeter => {
    const key = `${keyStart}${name}`;
    return meterReader(limit, headersOfInstance(name), () => key);
  };
  // Instances come from configurations, so there are never many.
  const readers = new Map(instances.map((limit) => [limit.name, compile(limit.name, limit)]));
  return (instance, req, variables) => {
    if (global !== undefined && !readers.has(instance)) readers.set(instance, compile(instance, global));
    const meter = readers.get(instance)?.(req, variables);
    return meter === undefined ? [] : [meter];
  };
}

/**
 * Compiles the counters of a configuration.
 *
 * @param keyStart what the keys of this limiter start with, and no other limiter's
 */
export function compileMeters(config: LoadedRateLimiting, keyStart: string): Meters {
  const compile = config.rules.length > 0 ? compileRules : compileInstances;
  return { read: compile(config, keyStart) };
}
