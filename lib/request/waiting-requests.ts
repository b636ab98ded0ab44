import type { IncomingMessage, ServerResponse } from 'node:http';
import { watchConnection } from './watch-connection.ts';

/** Requests that are not where they are going yet: something they need must not be closed under them. */
export interface WaitingRequests {
  /**
   * Counts a request until the returned function is called, or it has been answered, or its client has gone.
   */
  add(req: IncomingMessage, res: ServerResponse): () => void;
  /** Resolves when there are none. */
  none(): Promise<void>;
}

export function makeWaitingRequests(): WaitingRequests {
  let count = 0;
  let listeners: (() => void)[] = [];

  function leave(): void {
    count--;
    if (count > 0) return;
    for (const resolve of listeners) resolve();
    listeners = [];
  }

  return {
    add(req, res) {
      // Of these nobody will say any more that they have ended.
      if (res.destroyed || req.socket.destroyed) return () => {};
      count++;
      let isWaiting = true;
      const end = (): void => {
        if (!isWaiting) return;
        isWaiting = false;
        stopWatching();
        res.off('close', end);
        leave();
      };
      const stopWatching = watchConnection(req.socket, end);
      res.once('close', end);
      return end;
    },
    async none() {
      if (count > 0) await new Promise<void>((resolve) => listeners.push(resolve));
    },
  };
}
