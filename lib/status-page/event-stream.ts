import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

const INTERVAL_MS = 1000;
const MAX_VIEWERS = 100;
/** How many intervals a viewer may leave unread what it was sent. */
const MAX_STALLED_INTERVALS = 10;
/** After how many intervals without a change a viewer is told that all is well. */
const HEARTBEAT_INTERVALS = 15;

interface Viewer {
  readonly res: ServerResponse;
  /** Which state it was sent last. */
  version: number;
  quietIntervals: number;
  stalledIntervals: number;
}

/** After a cut, browsers would wait for three seconds and longer. */
const RECONNECTION = 'retry: 1000\n\n';

/**
 * The comment keeps proxies from closing a connection they take for idle. A page cannot see comments: by the event it
 * finds out that a network has gone without a word.
 */
const HEARTBEAT = ': heartbeat\nevent: alive\ndata: 1\n\n';

/**
 * Sends the state to every viewer when it has changed. A state is all there is to see: a viewer that is slow misses
 * those in between, and never more than one waits for it in memory. One timer serves all; without viewers none runs.
 */
export class EventStream {
  readonly #read: () => string;
  readonly #viewers = new Set<Viewer>();
  #timer: NodeJS.Timeout | undefined;
  #state = '';
  /** The event that tells it, in bytes that all viewers share. */
  #event = Buffer.alloc(0);
  #version = 0;
  #closed = false;

  /** @param read the state as JSON on one line; called once a second, and once for each new viewer */
  constructor(read: () => string) {
    this.#read = read;
  }

  /** Whether there is no place for one more. */
  get isFull(): boolean {
    return this.#closed || this.#viewers.size >= MAX_VIEWERS;
  }

  /**
   * Begins a response and sends it the state, now and whenever it changes.
   *
   * @throws what reading the state throws; nothing has been sent then
   */
  add(res: ServerResponse, headers: OutgoingHttpHeaders): void {
    // Gone while a middleware in front took its time: nothing would ever remove it.
    if (res.destroyed) return;
    this.#refresh();
    const viewer: Viewer = { res, version: 0, quietIntervals: 0, stalledIntervals: 0 };
    this.#viewers.add(viewer);
    res.on('close', () => this.#remove(viewer));
    // From a write onto a connection that has just broken; its close follows.
    res.on('error', () => {});
    res.writeHead(200, headers);
    res.write(RECONNECTION);
    this.#serve(viewer);
    this.#timer ??= setInterval(() => this.#tick(), INTERVAL_MS).unref();
  }

  /** Ends all viewers, and lets nobody in any more. */
  close(): void {
    this.#closed = true;
    for (const { res } of this.#viewers) res.end();
  }

  #remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #refresh(): void {
    const state = this.#read();
    if (state === this.#state) return;
    this.#state = state;
    this.#event = Buffer.from(`data: {"at":"${new Date().toISOString()}","gateways":${state}}\n\n`);
    this.#version++;
  }

  #tick(): void {
    try {
      this.#refresh();
    } catch {
      // They ask again, and are answered with the error.
      for (const { res } of this.#viewers) res.destroy();
      return;
    }
    for (const viewer of this.#viewers) this.#serve(viewer);
  }

  #serve(viewer: Viewer): void {
    const { res } = viewer;
    if (res.destroyed || res.writableEnded) return;
    if (res.writableNeedDrain) {
      viewer.stalledIntervals++;
      // An end would wait for the reader that does not read.
      if (viewer.stalledIntervals > MAX_STALLED_INTERVALS) res.destroy();
      return;
    }
    viewer.stalledIntervals = 0;
    if (viewer.version !== this.#version) {
      viewer.version = this.#version;
      viewer.quietIntervals = 0;
      res.write(this.#event);
    } else if (++viewer.quietIntervals >= HEARTBEAT_INTERVALS) {
      viewer.quietIntervals = 0;
      res.write(HEARTBEAT);
    }
  }
}
