import type { IncomingMessage } from 'node:http';

/** A stream may be silent for as long as `timeout` allows, whatever the host server thinks of that. */
export function liftTimeouts({ socket }: IncomingMessage): void {
  if ((socket.timeout ?? 0) > 0) socket.setTimeout(0);
}
