import type { LookupFunction } from 'node:net';
import type { InstanceHealth } from '../status.ts';

/** Which addresses an instance's sockets may lead to. */
export interface AddressBook {
  /** Gives those that are not unhealthy, each time another one first; all of them when all are unhealthy. */
  readonly lookup: LookupFunction;
  /** Whether an open socket to this address may serve a further request. */
  isUsable(address: string | undefined): boolean;
  /** Calls back when an address has turned unhealthy. @returns what ends that */
  onDown(listener: (address: string) => void): () => void;
}

/** The health of one instance, for the plan that uses it. */
export interface InstanceHealthSource {
  /** Whether every known address is unhealthy. */
  readonly isOut: boolean;
  readonly addresses: AddressBook;
  status(): InstanceHealth;
  /** Calls back after `isOut` has changed. @returns what ends that */
  onChange(listener: () => void): () => void;
  /** Says that this plan needs it no more. Its last state stays. */
  release(): void;
}
