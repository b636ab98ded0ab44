import type { ProbeOutcome } from './probe-outcome.ts';

/** Where probes of one address go. */
export interface ProbeTarget {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  /** Of a whole probe: looking up credentials, connecting, and waiting for the answer's head. */
  readonly timeoutMs: number;
}

/** Probes one address. */
export interface Probe {
  /** Never rejects. Called again only when the last one has ended. */
  run(): Promise<ProbeOutcome>;
  /** Ends a probe under way and closes what is open. */
  close(): void;
}
