import net, { type Socket } from 'node:net';
import type { Probe, ProbeTarget } from './probe.ts';
import { brokenConnection, noOutcome, type ProbeOutcome, timeoutOutcome } from './probe-outcome.ts';

const connected: ProbeOutcome = { kind: 'success', reason: 'connected' };

/** Connects, says nothing and leaves. */
export class TcpProbe implements Probe {
  readonly #target: ProbeTarget;
  #socket: Socket | undefined;

  constructor(target: ProbeTarget) {
    this.#target = target;
  }

  run(): Promise<ProbeOutcome> {
    const { address, port, timeoutMs } = this.#target;
    return new Promise((resolve) => {
      const socket = net.connect({ host: address, port }).unref();
      this.#socket = socket;
      const settle = (outcome: ProbeOutcome): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(outcome);
      };
      const timer = setTimeout(settle, timeoutMs, timeoutOutcome).unref();
      socket.on('connect', () => settle(connected));
      socket.on('error', (error) => settle(brokenConnection(error)));
      socket.on('close', () => settle(noOutcome));
    });
  }

  close(): void {
    this.#socket?.destroy();
  }
}
