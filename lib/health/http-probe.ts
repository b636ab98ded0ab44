import net, { isIP, type Socket } from 'node:net';
import tls, { type SecureContext } from 'node:tls';
import { type AnswerReader, makeAnswerReader } from './answer-reader.ts';
import type { Probe, ProbeTarget } from './probe.ts';
import {
  brokenConnection,
  invalidAnswer,
  noOutcome,
  type ProbeOutcome,
  timeoutOutcome,
} from './probe-outcome.ts';

export interface HttpProbeTarget extends ProbeTarget {
  readonly method: string;
  /** `undefined` for plain HTTP. */
  readonly tls: { readonly name: string; readonly verifyCertificate: boolean } | undefined;
  /** The whole request; rejects where it cannot be made. */
  request(): Buffer | Promise<Buffer>;
  rate(status: number): ProbeOutcome;
}

/**
 * A handshake costs ten times what a probe over a connection that is there does. A new one now and then still
 * notices a server that has stopped listening, and another certificate.
 */
const PROBES_PER_CONNECTION = 30;

let secureContext: SecureContext | undefined;

/** The default one, made once: it holds every certificate authority that Node knows. */
function sharedContext(): SecureContext {
  secureContext ??= tls.createSecureContext();
  return secureContext;
}

function connect({ address: host, port, tls: options }: HttpProbeTarget): Socket {
  if (options === undefined) return net.connect({ host, port, noDelay: true });
  const { name, verifyCertificate } = options;
  return tls.connect({
    host,
    port,
    // An address has no name (RFC 6066 §3).
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: verifyCertificate,
    secureContext: sharedContext(),
    ALPNProtocols: ['http/1.1'],
  });
}

/**
 * Asks over a connection that it keeps. Of an answer it waits for the head alone, and a redirect is an answer like any
 * other.
 */
export class HttpProbe implements Probe {
  readonly #target: HttpProbeTarget;
  /** Ends the run under way. */
  #resolve: ((outcome: ProbeOutcome) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What has been sent and not answered. */
  #request: Buffer | undefined;
  #socket: Socket | undefined;
  #reader: AnswerReader | undefined;
  #requestsOnSocket = 0;

  constructor(target: HttpProbeTarget) {
    this.#target = target;
  }

  run(): Promise<ProbeOutcome> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      // Time that went into finding the credentials says nothing about the other side.
      const giveUp = (): void => this.#giveUp(this.#request === undefined ? noOutcome : timeoutOutcome);
      this.#timer = setTimeout(giveUp, this.#target.timeoutMs).unref();
      const request = this.#target.request();
      if (request instanceof Promise) void this.#sendLater(request, resolve);
      else this.#send(request);
    });
  }

  close(): void {
    this.#giveUp(noOutcome);
  }

  async #sendLater(request: Promise<Buffer>, resolve: (outcome: ProbeOutcome) => void): Promise<void> {
    let bytes: Buffer | undefined;
    try {
      bytes = await request;
    } catch {
      // Whoever makes the requests has said why there is none.
    }
    if (this.#resolve !== resolve) return;
    if (bytes === undefined) this.#settle(noOutcome);
    else this.#send(bytes);
  }

  #settle(outcome: ProbeOutcome): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#request = undefined;
    clearTimeout(this.#timer);
    resolve?.(outcome);
  }

  #giveUp(outcome: ProbeOutcome): void {
    this.#drop();
    this.#settle(outcome);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #send(request: Buffer): void {
    const socket = this.#socket;
    const isFree = this.#reader?.phase === 'whole' && this.#requestsOnSocket < PROBES_PER_CONNECTION;
    this.#request = request;
    if (socket?.writable !== true || !isFree) {
      this.#sendAfresh(request);
      return;
    }
    this.#reader = makeAnswerReader(this.#target.method);
    this.#requestsOnSocket++;
    socket.write(request);
  }

  #sendAfresh(request: Buffer): void {
    this.#drop();
    const socket = connect(this.#target).unref();
    let failure: unknown;
    // Nothing is said before the other side has shown who it is.
    socket.once(this.#target.tls === undefined ? 'connect' : 'secureConnect', () => socket.write(request));
    socket.on('data', (bytes) => this.#read(socket, bytes));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => this.#onClose(socket, failure));
    this.#reader = makeAnswerReader(this.#target.method);
    this.#requestsOnSocket = 1;
    this.#socket = socket;
  }

  #read(socket: Socket, bytes: Buffer): void {
    const reader = this.#reader;
    if (socket !== this.#socket || reader === undefined) return;
    reader.push(bytes);
    if (reader.phase === 'last' || reader.phase === 'invalid') this.#drop();
    if (this.#request === undefined) return;
    if (reader.status !== undefined) this.#settle(this.#target.rate(reader.status));
    else if (reader.phase === 'invalid') this.#settle(invalidAnswer);
  }

  #onClose(socket: Socket, failure: unknown): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    const request = this.#request;
    if (request === undefined) return;
    // A kept connection that breaks before any answer was most likely closed while it was idle.
    if (this.#requestsOnSocket > 1 && this.#reader?.isUntouched) this.#sendAfresh(request);
    else this.#settle(brokenConnection(failure));
  }
}
