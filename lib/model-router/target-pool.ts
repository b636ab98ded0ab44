import { isDeepStrictEqual } from 'node:util';
import type { LoadedDirectModel } from '../config/loaded-model-router.ts';
import { SecretStore } from '../config/references.ts';
import { type BackgroundChecks, makeBackgroundChecks } from '../health/background-checks.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import { backgroundProbe } from './background-probe.ts';
import { compileTarget } from './compile-target.ts';
import type { OpenTarget } from './target.ts';

interface Shared {
  readonly target: OpenTarget;
  holds: number;
}

/**
 * The targets of one router, which outlive its configurations: one that is written again as it was keeps its sockets,
 * its cooldown and what is known of its health.
 */
export interface TargetPool {
  /** Opens a target, or goes on with the one that is there. */
  take(model: LoadedDirectModel): OpenTarget;
  /** Gives it back. The last one closes its idle sockets, and ends its background check. */
  release(model: LoadedDirectModel): void;
}

/** Each is asked for when a model comes and when it goes. */
const keys = new WeakMap<LoadedDirectModel, string>();

/** What is said of a model beside how it is reached and asked: a target stays the same whatever becomes of it. */
function splitModel({
  limits,
  allowedCidrs,
  timeoutMs,
  streamTimeoutMs,
  retries,
  ...target
}: LoadedDirectModel) {
  return { target, use: { limits, allowedCidrs, timeoutMs, streamTimeoutMs, retries } };
}

/** Whether a model that has the same target as before is used in the same way, too. */
export function isUsedAlike(one: LoadedDirectModel, other: LoadedDirectModel): boolean {
  return one === other || isDeepStrictEqual(splitModel(one).use, splitModel(other).use);
}

/** Everything that makes a target another one. */
function keyOf(model: LoadedDirectModel): string {
  const known = keys.get(model);
  if (known !== undefined) return known;
  const key = JSON.stringify(splitModel(model).target);
  keys.set(model, key);
  return key;
}

function open(model: LoadedDirectModel, key: string, secrets: SecretStore, checks: BackgroundChecks) {
  const instance = compileTarget(model, secrets);
  const rules = model.backgroundCheck;
  const check = rules && checks.watch(key, rules, backgroundProbe(instance, rules));
  return { instance, check };
}

export function makeTargetPool(host: ResolvedHost): TargetPool {
  const secrets = new SecretStore(host.secret);
  const checks = makeBackgroundChecks();
  const shared = new Map<string, Shared>();
  return {
    take(model) {
      const key = keyOf(model);
      const known = shared.get(key) ?? { target: open(model, key, secrets, checks), holds: 0 };
      shared.set(key, known);
      known.holds++;
      return known.target;
    },
    release(model) {
      const key = keyOf(model);
      const known = shared.get(key);
      if (known === undefined || --known.holds > 0) return;
      shared.delete(key);
      known.target.check?.close();
      known.target.instance.transport.close();
    },
  };
}
