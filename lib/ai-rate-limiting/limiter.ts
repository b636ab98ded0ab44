import { GatewayError } from '../answer/gateway-error.ts';
import type { LoadedRateLimiting } from '../config/loaded-rate-limiting.ts';
import type { Consumption, Limiter } from '../quota.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import { costOf } from './cost.ts';
import type { Counter, CounterStore } from './counter-store.ts';
import { compileMeters, type Meter } from './meter.ts';
import { openStore } from './open-store.ts';
import { RequestQuota } from './request-quota.ts';

/** A limiter that holds counters, until it is closed. */
export interface OwnedLimiter extends Limiter {
  /** Whether a gateway has asked it about any request yet. */
  readonly hasBeenAsked: boolean;
  /** Lets go of the counters once every request it has been asked about is charged. */
  close(): Promise<void>;
}

const DEFAULT_MESSAGE = 'The token quota for this LLM service is used up.';

function unavailable(cause: unknown): GatewayError {
  return new GatewayError(500, 'quota_unavailable', 'The token quota cannot be looked up now.', { cause });
}

/**
 * Makes what limits requests by the tokens that LLMs report.
 *
 * @param scope whom or what the counters belong to: no two limiters of one store with equal limits share it
 * @param localStore where they are kept unless the policy names another place; it outlives the limiter, so that a new
 *   one with the same limits goes on counting where this one ended
 * @throws ConfigError where the policy needs a package that is not installed
 */
export function makeLimiter(
  config: LoadedRateLimiting,
  scope: string,
  host: ResolvedHost,
  localStore: CounterStore,
): OwnedLimiter {
  const { logger } = host;
  const isLocal = config.store.policy === 'local';
  const store = isLocal ? localStore : openStore(config.store, { logger, secret: host.secret });
  const meters = compileMeters(config, `${config.keyPrefix}:${config.fingerprint}:${scope}:`);
  const cost = costOf(config);
  const underWay = new Set<Promise<void>>();
  let open = 0;
  let hasBeenAsked = false;
  let losesCharges = false;
  let allSettled: (() => void) | undefined;
  let closing: Promise<void> | undefined;

  async function charge(charged: readonly Meter[], amount: number): Promise<void> {
    try {
      await store.add(charged.map(({ key, windowSeconds }) => ({ key, amount, windowSeconds })));
      losesCharges = false;
    } catch (error) {
      // Said once: a store that is down fails every request's charge.
      if (losesCharges) return;
      losesCharges = true;
      const reason = error instanceof Error ? error.message : 'unknown';
      logger.warn({ scope, amount, reason }, 'tokens that have been used are not counted');
    }
  }

  function settle(charged: readonly Meter[], consumption: Consumption | undefined): number {
    open--;
    const amount = consumption === undefined || charged.length === 0 ? 0 : cost(consumption);
    if (amount > 0) {
      const charging = charge(charged, amount).finally(() => underWay.delete(charging));
      underWay.add(charging);
    }
    if (open === 0) allSettled?.();
    return amount;
  }

  async function read(looked: readonly Meter[]): Promise<readonly Counter[] | undefined> {
    try {
      return await store.read(looked.map(({ key }) => key));
    } catch (error) {
      if (config.allowsDegradation) return undefined;
      throw unavailable(error);
    }
  }

  async function finish(): Promise<void> {
    if (open > 0) {
      await new Promise<void>((resolve) => {
        allSettled = resolve;
      });
    }
    await Promise.all(underWay);
    if (!isLocal) await store.close();
  }

  return {
    get hasBeenAsked() {
      return hasBeenAsked;
    },
    open(req, locals) {
      hasBeenAsked = true;
      open++;
      const variables = { custom: host.vars, locals };
      return new RequestQuota({
        rejectedCode: config.rejectedCode,
        rejectedMessage: config.rejectedMessage ?? DEFAULT_MESSAGE,
        showsHeaders: config.showsHeaders,
        countsInstances: config.rules.length === 0,
        metersOf: (instance) => meters.read(instance, req, variables),
        read,
        settle,
      });
    },
    close() {
      closing ??= finish();
      return closing;
    },
  };
}
