import type { Socket } from 'node:net';

/** One pair of listeners per socket serves all requests on it: their number is the client's choice. */
const watchersBySocket = new WeakMap<Socket, Set<() => void>>();

function watchersOf(socket: Socket): Set<() => void> {
  const known = watchersBySocket.get(socket);
  if (known !== undefined) return known;
  const watchers = new Set<() => void>();
  const callAll = (): void => {
    for (const call of watchers) call();
  };
  // Before the listeners of access logs, which read the variables. Those that listen to the socket, as morgan
  // does, hear of a reset by its error.
  socket.prependListener('error', callAll);
  socket.prependListener('close', callAll);
  watchersBySocket.set(socket, watchers);
  return watchers;
}

/**
 * Calls `leave` when the connection breaks or closes, until the returned function is called. The response would
 * not do: one that is queued behind an earlier one of a pipelining client never hears that the client has gone.
 */
export function watchConnection(socket: Socket, leave: () => void): () => void {
  const watchers = watchersOf(socket);
  watchers.add(leave);
  return () => {
    watchers.delete(leave);
  };
}
