import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * A port of 127.0.0.1 that the system gives to nobody else until the test ends, neither while a server of the test's
 * listens on it nor before or after. What keeps it is a connection that was accepted there: a port without one is
 * given to the next server or connection of any process, and a request to the "dead" server is answered by that.
 */
export async function ownPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted: Promise<net.Socket[]> = once(server, 'connection');
  const caller = net.connect(port, '127.0.0.1');
  const [socket] = await accepted;
  server.close();
  onTestFinished(() => {
    caller.destroy();
    socket?.destroy();
  });
  return port;
}
