import { isIP } from 'node:net';
import type { LoadedActiveChecks } from '../config/loaded-config.ts';
import type { ResolvedHost } from '../resolve-host.ts';
import type { AddressHealth, HealthState, InstanceHealth } from '../status.ts';
import { makeAddressBook } from './address-book.ts';
import { announceAddress, announceHealth } from './announce-health.ts';
import type { InstanceHealthSource } from './instance-health-source.ts';
import { makeListeners } from './listeners.ts';
import type { Probe } from './probe.ts';
import { brokenConnection } from './probe-outcome.ts';
import { makeThreshold } from './threshold.ts';
import { makeTurnstile } from './turnstile.ts';
import { intervalMs, type WatchedAddress, watchAddress } from './watch-address.ts';
import { type NameSource, watchName } from './watch-name.ts';

/** What is checked. */
export interface Checked {
  /** The instance's. */
  readonly name: string;
  /** A host name or an address, the latter without brackets. */
  readonly hostname: string;
  readonly checks: LoadedActiveChecks;
  /** Until the first probe of an address. */
  readonly delayMs: number;
  openProbe(address: string): Probe;
}

/** The health of one instance, kept up to date until it is stopped. */
export interface Checker extends Omit<InstanceHealthSource, 'release'> {
  /** Ends every probe. The last state stays; whoever listens is told that it may not be true any more. */
  stop(): void;
}

function stateOf(states: readonly HealthState[]): HealthState {
  if (states.every((state) => state === 'unhealthy')) return 'unhealthy';
  return states.includes('healthy') ? 'healthy' : 'unchecked';
}

function addressHealth({ address, state, reason }: WatchedAddress): AddressHealth {
  return { address, state, ...(reason === undefined ? {} : { reason }) };
}

/** Starts to check an instance at every address that its host name has. */
export function startChecker(
  { name, hostname, checks, delayMs, openProbe }: Checked,
  host: Pick<ResolvedHost, 'logger' | 'onHealth'>,
  names: NameSource,
): Checker {
  const known = new Map<string, WatchedAddress>();
  const watch = { checks, turnstile: makeTurnstile(checks.concurrency), delayMs };
  /** Stands for the instance until it has an address. */
  const unresolved = makeThreshold(checks);
  const changes = makeListeners<void>();
  const downs = makeListeners<string>();
  let health: InstanceHealth = { state: 'unchecked' };

  /** @returns whether the instance's state has changed */
  function refresh(reason: string, address?: string): boolean {
    const state =
      known.size === 0 ? unresolved.state : stateOf(Array.from(known.values(), (one) => one.state));
    if (state === health.state) return false;
    health = { state, since: new Date().toISOString(), reason };
    announceHealth({ instance: name, state, reason, ...(address === undefined ? {} : { address }) }, host);
    changes.call();
    return true;
  }

  function onAddressChange({ address, state, reason = '' }: WatchedAddress, before: HealthState): void {
    if (state === 'unhealthy') downs.call(address);
    if (!refresh(reason, address)) announceAddress({ instance: name, state, reason, address }, before, host);
  }

  /** Goes by what is listed, not by its order: addresses that stay keep their state and their place. */
  function onAddresses(addresses: readonly string[]): void {
    const listed = new Set(addresses);
    for (const [address, watched] of known) {
      if (listed.has(address)) continue;
      watched.stop();
      known.delete(address);
    }
    for (const address of listed) {
      if (known.has(address)) continue;
      known.set(address, watchAddress(address, openProbe(address), watch, onAddressChange));
    }
    refresh('its addresses have changed');
  }

  /** Counts for an instance without an address alone: of others their probes tell more. */
  function onFailure(error: unknown): void {
    const { kind, reason } = brokenConnection(error);
    if (unresolved.report(kind)) refresh(reason);
  }

  const lookAgainMs = (): number => (known.size === 0 ? intervalMs(unresolved.state, checks) : names.everyMs);
  let nameWatch: { stop(): void } | undefined;
  if (isIP(hostname) === 0) nameWatch = watchName(hostname, names, { onAddresses, onFailure, lookAgainMs });
  else onAddresses([hostname]);

  return {
    get isOut() {
      return health.state === 'unhealthy';
    },
    addresses: makeAddressBook(known, downs),
    onChange: changes.add,
    status: () =>
      known.size === 0 ? health : { ...health, addresses: Array.from(known.values(), addressHealth) },
    stop() {
      nameWatch?.stop();
      for (const watched of known.values()) watched.stop();
      if (health.state === 'unchecked') return;
      // A gauge of an instance that has been removed would show its last state for ever.
      announceHealth({ instance: name, state: 'unchecked', reason: 'its checks have ended' }, host);
    },
  };
}
