import type { AiProxyMultiConfig, Host } from 'ai-proxy-multi';
import { type App, type AppOptions, instance, startApp } from '../support/app.ts';

export type HealthChange = Parameters<NonNullable<Host['onHealth']>>[0];
export type ActiveChecks = NonNullable<AiProxyMultiConfig['instances'][number]['checks']>['active'];

/** What `host.onHealth` has been told. */
export interface HealthLog {
  readonly changes: readonly HealthChange[];
  readonly onHealth: (change: HealthChange) => void;
  /** Resolves with the last change of the instance as soon as it is to this state. */
  until(instance: string, state: HealthChange['state']): Promise<HealthChange>;
}

export function logHealth(): HealthLog {
  const changes: HealthChange[] = [];
  let waiting: (() => void)[] = [];
  return {
    changes,
    onHealth(change) {
      changes.push(change);
      const called = waiting;
      waiting = [];
      for (const resolve of called) resolve();
    },
    async until(instance, state) {
      for (;;) {
        const last = changes.findLast((change) => change.instance === instance);
        if (last?.state === state) return last;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

/** An app that tells of the health of its instances. */
export interface HealthApp extends App, HealthLog {}

export async function startHealthApp(
  config: Parameters<typeof startApp>[0],
  options: AppOptions = {},
): Promise<HealthApp> {
  const log = logHealth();
  return {
    ...(await startApp(config, { ...options, host: { onHealth: log.onHealth, ...options.host } })),
    ...log,
  };
}

/** Checks of `/health` every second, of which a single one decides. */
export function quickChecks(more: ActiveChecks = {}): { checks: { active: ActiveChecks } } {
  return {
    checks: {
      active: {
        http_path: '/health',
        ...more,
        healthy: { interval: 1, successes: 1, ...more.healthy },
        unhealthy: { interval: 1, http_failures: 1, tcp_failures: 1, timeouts: 1, ...more.unhealthy },
      },
    },
  };
}

/** What `status()` says of an instance's health. */
export function healthOf({ middleware }: App, name: string) {
  return middleware.status().instances.find((instance) => instance.name === name)?.health;
}

type InstanceConfig = ReturnType<typeof instance>;

/** An app whose only instance has these checks. */
export async function startChecked(
  url: string,
  checks: ActiveChecks,
  more: Partial<InstanceConfig> = {},
  host = {},
) {
  return startHealthApp({ instances: [instance('a', url, { ...quickChecks(checks), ...more })] }, { host });
}
