import { LONGEST_DELAY_MS } from '../within.ts';
import { parseCidr } from './cidr.ts';
import { completeCooldown } from './complete-cooldown.ts';
import { completePrice } from './complete-price.ts';
import { completeUsageLimits } from './complete-usage-limits.ts';
import type {
  DefaultedBackgroundModelCheck,
  DefaultedHashSource,
  DefaultedModelConfig,
  DefaultedRoutingConfig,
  DefaultedRoutingTarget,
} from './generated/model-defaulted.ts';
import type {
  LoadedBackgroundCheck,
  LoadedDirectModel,
  LoadedHashSource,
  LoadedModel,
  LoadedProviderKey,
  LoadedRoutingModel,
  LoadedTarget,
} from './loaded-model-router.ts';

type Base = Pick<LoadedModel, 'id' | 'name' | 'timeoutMs' | 'streamTimeoutMs' | 'limits' | 'allowedCidrs'>;

const DEFAULT_HASH_ON: readonly LoadedHashSource[] = [
  { type: 'header', name: 'x-aisix-routing-key' },
  { type: 'api_key' },
];

const CHECKS_UNTIL_STALE = 3;

function inMs(seconds: number): number {
  return Math.min(seconds * 1000, LONGEST_DELAY_MS);
}

/** 0 is no limit; longer than a timer can be is as good as none, but is kept within what a timer takes. */
function completeTimeout(timeout: number): number {
  return timeout === 0 ? Number.POSITIVE_INFINITY : Math.min(timeout, LONGEST_DELAY_MS);
}

function completeBase(config: DefaultedModelConfig): Base {
  const { timeout, stream_timeout, allowed_cidrs = [] } = config;
  return {
    id: String(config.id),
    name: config.display_name,
    ...(timeout !== undefined && { timeoutMs: completeTimeout(timeout) }),
    ...(stream_timeout && { streamTimeoutMs: completeTimeout(stream_timeout) }),
    limits: completeUsageLimits(config.rate_limit),
    ...(allowed_cidrs.length > 0 && { allowedCidrs: allowed_cidrs.flatMap((text) => parseCidr(text) ?? []) }),
  };
}

function completeCheck(check: DefaultedBackgroundModelCheck): LoadedBackgroundCheck | undefined {
  if (!check.enabled) return undefined;
  const { stale_after_seconds = check.interval_seconds * CHECKS_UNTIL_STALE } = check;
  return {
    intervalMs: inMs(check.interval_seconds),
    timeoutMs: inMs(check.timeout_seconds),
    prompt: check.prompt,
    maxTokens: check.max_tokens,
    ignoreStatuses: check.ignore_statuses,
    staleAfterMs: inMs(stale_after_seconds),
  };
}

function completeTarget({ model, weight, priority, tags }: DefaultedRoutingTarget): LoadedTarget {
  return { model, weight: Math.max(1, weight), priority, tags };
}

function completeHashSource({ type, name }: DefaultedHashSource): LoadedHashSource {
  if (name === undefined) return { type };
  return { type, name: type === 'header' ? name.toLowerCase() : name };
}

function policyOf(routing: DefaultedRoutingConfig): LoadedRoutingModel['whenAllUnavailable'] {
  const { when_all_unavailable: policy = routing.on_all_filtered } = routing;
  return policy === 'try_anyway' || policy === 'original_order' ? 'try_anyway' : 'fail';
}

/** A validated alias as the rest of the package sees it. */
export function completeRouting(
  config: DefaultedModelConfig,
  routing: DefaultedRoutingConfig,
): LoadedRoutingModel {
  const { strategy, retries, max_fallbacks } = routing;
  return {
    kind: 'routing',
    ...completeBase(config),
    strategy: strategy === 'weighted' ? 'round_robin' : strategy,
    targets: routing.targets.map(completeTarget),
    ...(retries !== undefined && { retries }),
    ...(max_fallbacks !== undefined && { maxFallbacks: max_fallbacks }),
    retryOn429: routing.retry_on_429,
    fallbackOnStatuses: routing.fallback_on_statuses,
    whenAllUnavailable: policyOf(routing),
    hashOn: routing.hash_on?.map(completeHashSource) ?? DEFAULT_HASH_ON,
  };
}

/** A validated model of a vendor as the rest of the package sees it. */
export function completeDirect(
  config: DefaultedModelConfig,
  provider: string,
  upstreamModel: string,
  providerKey: LoadedProviderKey,
): LoadedDirectModel {
  const { retries, cost } = config;
  const cooldown = completeCooldown(config.cooldown);
  const backgroundCheck = config.background_model_check && completeCheck(config.background_model_check);
  return {
    kind: 'direct',
    ...completeBase(config),
    provider,
    upstreamModel,
    providerKey,
    ...(retries !== undefined && { retries }),
    ...(cooldown && { cooldown }),
    ...(backgroundCheck && { backgroundCheck }),
    ...(cost && { price: completePrice(cost) }),
  };
}
