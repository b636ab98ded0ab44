import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../answer/gateway-error.ts';
import type { LoadedLimit, LoadedRateLimiting } from '../config/loaded-rate-limiting.ts';
import type { QuotaHeaders } from '../quota.ts';
import { compileTemplate } from '../request/variable-template.ts';
import type { Variables } from '../request/variables.ts';
import { compileAmount } from './amount.ts';
import { headersOfInstance, headersOfRule } from './quota-headers.ts';

/** One counter as one request sees it. */
export interface Meter {
  /** Those with which it competes for memory: counters of one rule, or '' for those of instances. */
  readonly pool: string;
  /** Where the store keeps it. */
  readonly key: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly headers: QuotaHeaders;
}

/**
 * The counters that apply when this instance answers: for one request, always the same objects.
 *
 * @throws GatewayError 500 `invalid_quota`
 */
export type MetersOf = (instance: string) => readonly Meter[];

/** Compiled counters: what they are for one request. */
export type OpenMeters = (req: IncomingMessage, variables: Variables) => MetersOf;

type ReadMeter = (req: IncomingMessage, variables: Variables, key: string) => Meter;

/** Ten years, as in the schema: a client that may choose its window must not choose one without an end. */
const LONGEST_WINDOW_SECONDS = 315_360_000;

function invalidQuota(): GatewayError {
  return new GatewayError(500, 'invalid_quota', 'The limit of this request is not a whole number above 0.');
}

function meterReader({ limit, timeWindow }: LoadedLimit, headers: QuotaHeaders, pool = ''): ReadMeter {
  const readLimit = compileAmount(limit);
  const readWindow = compileAmount(timeWindow, LONGEST_WINDOW_SECONDS);
  return (req, variables, key) => {
    const amount = readLimit(req, variables);
    const windowSeconds = readWindow(req, variables);
    // Anything milder would let a client whose headers the limit is read from switch it off.
    if (amount === undefined || windowSeconds === undefined) throw invalidQuota();
    return { pool, key, limit: amount, windowSeconds, headers };
  };
}

function openRules({ rules }: LoadedRateLimiting, keyStart: string): OpenMeters {
  // Configurations that differ in the order of their rules alone have the same counters.
  const keys = rules.map(({ key }) => key).toSorted();
  const compiled = rules.map((rule) => {
    // Clients may choose what comes behind it, and may not thereby choose whose counters are dropped.
    const pool = `${keyStart}${keys.indexOf(rule.key)}:`;
    return {
      fill: compileTemplate(rule.key),
      pool,
      read: meterReader(rule, headersOfRule(rule.headerPrefix), pool),
    };
  });
  return (req, variables) => {
    let meters: readonly Meter[] | undefined;
    return () => {
      meters ??= compiled.flatMap((rule) => {
        const { text, resolved } = rule.fill(req, variables);
        return resolved === 0 ? [] : rule.read(req, variables, rule.pool + text);
      });
      return meters;
    };
  };
}

const NONE: readonly Meter[] = [];

/** Remembers what `make` gives. Instances come from configurations, so there are never many. */
function remembering<Made>(make: (instance: string) => Made): (instance: string) => Made {
  const known = new Map<string, Made>();
  return (instance) => {
    const found = known.get(instance);
    if (found !== undefined) return found;
    const made = make(instance);
    known.set(instance, made);
    return made;
  };
}

function openInstances({ instances, global }: LoadedRateLimiting, keyStart: string): OpenMeters {
  const limits = new Map<string, LoadedLimit>(instances.map((limit) => [limit.name, limit]));
  const limitOf = (instance: string): LoadedLimit | undefined => limits.get(instance) ?? global;
  // What does not depend on the request is made once for all of them.
  const fixed = remembering((instance) => {
    const { limit, timeWindow } = limitOf(instance) ?? {};
    if (typeof limit !== 'number' || typeof timeWindow !== 'number') return NONE;
    const headers = headersOfInstance(instance);
    return [{ pool: '', key: keyStart + instance, limit, windowSeconds: timeWindow, headers }];
  });
  const isFixed = (limit: LoadedLimit): boolean =>
    typeof limit.limit === 'number' && typeof limit.timeWindow === 'number';
  if ([...instances, global ?? []].flat().every(isFixed)) return () => fixed;
  const readerOf = remembering((instance): ReadMeter | null => {
    const limit = limitOf(instance);
    return limit === undefined ? null : meterReader(limit, headersOfInstance(instance));
  });
  return (req, variables) =>
    remembering((instance) => {
      const read = readerOf(instance);
      return read === null ? NONE : [read(req, variables, keyStart + instance)];
    });
}

/**
 * Compiles the counters of a configuration.
 *
 * @param keyStart what the keys of this limiter start with; limiters that share it count together
 */
export function compileMeters(config: LoadedRateLimiting, keyStart: string): OpenMeters {
  return config.rules.length > 0 ? openRules(config, keyStart) : openInstances(config, keyStart);
}
