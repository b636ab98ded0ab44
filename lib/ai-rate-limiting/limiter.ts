import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../answer/gateway-error.ts';
import type { LoadedRateLimiting } from '../config/loaded-rate-limiting.ts';
import type { Consumption, Limiter } from '../quota.ts';
import { makeWaitingRequests } from '../request/waiting-requests.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import { costOf } from './cost.ts';
import type { LocalPools } from './local-pools.ts';
import { compileMeters, type Meter } from './meter.ts';
import { localMeters, type MeterStore, sharedMeters } from './meter-store.ts';
import { openStore } from './open-store.ts';
import { type QuotaKeeper, RequestQuota } from './request-quota.ts';

/** A limiter that holds counters, until it is closed. */
export interface OwnedLimiter extends Limiter {
  /** Whether a gateway has asked it about any request yet. */
  readonly hasBeenAsked: boolean;
  /** Keeps the counters within reach of a request about which it may be asked later, until that has ended. */
  hold(req: IncomingMessage, res: ServerResponse): void;
  /** Lets go of the counters once every request that it holds or has been asked about has ended and is charged. */
  close(): Promise<void>;
}

const DEFAULT_MESSAGE = 'The token quota for this LLM service is used up.';

function unavailable(cause: unknown): GatewayError {
  return new GatewayError(500, 'quota_unavailable', 'The token quota cannot be looked up now.', { cause });
}

/**
 * Makes what limits requests by the tokens that LLMs report.
 *
 * @param scope whom or what the counters belong to: limiters of one store with equal limits and the same scope count
 *   together
 * @param localPools where they are kept unless the policy names another place; they outlive the limiter, so that a new
 *   one with the same limits goes on counting where this one ended
 */
export function makeLimiter(
  config: LoadedRateLimiting,
  scope: string,
  host: ResolvedHost,
  localPools: LocalPools,
): OwnedLimiter {
  const { logger } = host;
  const { store: settings } = config;
  const isLocal = settings.policy === 'local';
  const store: MeterStore = isLocal
    ? localMeters(localPools)
    : sharedMeters(openStore(settings, { logger, secret: host.secret }));
  const openMeters = compileMeters(config, `${config.keyPrefix}:${config.fingerprint}:${scope}:`);
  const cost = costOf(config);
  /** Those that have been asked about and have not been charged yet. */
  let open = 0;
  /** Local counters outlive their limiter: nobody needs to be waited for. */
  const held = isLocal ? undefined : makeWaitingRequests();
  let hasBeenAsked = false;
  let losesCharges = false;
  let allCharged: (() => void) | undefined;
  let closing: Promise<void> | undefined;

  function finishOne(): void {
    open--;
    if (open === 0) allCharged?.();
  }

  function onCharged(): void {
    losesCharges = false;
    finishOne();
  }

  /** Said once: a store that is down fails every request's charge. */
  function onLost(error: unknown): void {
    if (!losesCharges) {
      const reason = error instanceof Error ? error.message : 'unknown';
      logger.warn({ scope, reason }, 'tokens that have been used are not counted');
    }
    losesCharges = true;
    finishOne();
  }

  function charge(charged: readonly Meter[], amount: number): void {
    try {
      const charging = store.add(charged, amount);
      if (charging === undefined) onCharged();
      else charging.then(onCharged, onLost);
    } catch (error) {
      onLost(error);
    }
  }

  function settle(charged: readonly Meter[], consumption: Consumption | undefined): number {
    const amount = consumption === undefined || charged.length === 0 ? 0 : cost(consumption);
    if (amount === 0) finishOne();
    else charge(charged, amount);
    return amount;
  }

  function onUnreadable(error: unknown): undefined {
    if (config.allowsDegradation) return undefined;
    throw unavailable(error);
  }

  function read(looked: readonly Meter[]): ReturnType<QuotaKeeper['read']> {
    const reading = store.read(looked);
    return reading instanceof Promise ? reading.catch(onUnreadable) : reading;
  }

  async function finish(): Promise<void> {
    await held?.none();
    if (open > 0) {
      await new Promise<void>((resolve) => {
        allCharged = resolve;
      });
    }
    await store.close();
  }

  const keeper: QuotaKeeper = {
    rejectedCode: config.rejectedCode,
    rejectedMessage: config.rejectedMessage ?? DEFAULT_MESSAGE,
    showsHeaders: config.showsHeaders,
    countsInstances: config.rules.length === 0,
    read,
    settle,
  };

  return {
    get hasBeenAsked() {
      return hasBeenAsked;
    },
    open(req, locals) {
      hasBeenAsked = true;
      open++;
      return new RequestQuota(keeper, openMeters(req, { custom: host.vars, locals }));
    },
    hold(req, res) {
      held?.add(req, res);
    },
    close() {
      closing ??= finish();
      return closing;
    },
  };
}
