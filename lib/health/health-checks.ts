import type { LoadedInstance } from '../config/loaded-config.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import type { ResolveCredentials } from '../upstream/credentials.ts';
import { type Checker, startChecker } from './checker.ts';
import type { InstanceHealthSource } from './instance-health-source.ts';
import { probeOpener } from './open-probe.ts';
import { firstDelayMs } from './slots.ts';
import { type NameSource, systemNames } from './watch-name.ts';

/** The health checks of one middleware, which outlive its plans. */
export interface HealthChecks {
  /**
   * The health of an instance, for one plan. An instance that another plan has under the same name, endpoint, auth and
   * checks goes on being checked as it is. Checks end when no plan is left that has not released them.
   *
   * @returns `undefined` where none are configured
   */
  watch(
    instance: LoadedInstance,
    endpoint: URL,
    credentials: ResolveCredentials,
  ): InstanceHealthSource | undefined;
}

interface Running {
  readonly checker: Checker;
  plans: number;
}

/** One plan's hold on a checker. */
function hold({ checker }: Running, letGo: () => void): InstanceHealthSource {
  let isHeld = true;
  return {
    get isOut() {
      return checker.isOut;
    },
    addresses: checker.addresses,
    status: checker.status,
    onChange: checker.onChange,
    release() {
      if (isHeld) letGo();
      isHeld = false;
    },
  };
}

export function makeHealthChecks(
  host: Pick<ResolvedHost, 'logger' | 'onHealth'>,
  names: NameSource = systemNames,
): HealthChecks {
  const running = new Map<string, Running>();
  let started = 0;
  return {
    watch({ name, auth, checks: configured }, endpoint, credentials) {
      if (configured === undefined) return undefined;
      const key = JSON.stringify([name, endpoint.href, auth, configured]);
      const checks = configured.active;
      const start = (): Running => {
        const hostname = endpoint.hostname.replace(/^\[|\]$/g, '');
        const openProbe = probeOpener({ name, endpoint, checks, credentials }, host.logger);
        const checked = { name, hostname, checks, delayMs: firstDelayMs(started++), openProbe };
        return { checker: startChecker(checked, host, names), plans: 0 };
      };
      const found = running.get(key) ?? start();
      running.set(key, found);
      found.plans++;
      return hold(found, () => {
        found.plans--;
        if (found.plans > 0) return;
        running.delete(key);
        found.checker.stop();
      });
    },
  };
}
