import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { type GatewayStatus, statusPage } from 'ai-proxy-multi';
import { beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { readPath } from '../../examples/read-path.ts';
import { serve } from '../support/app.ts';
import { connectRaw, type RawClient } from '../support/raw.ts';
import { gatewayStatus, instanceStatus, makeSource, type Source } from './sources.ts';

const SECOND = 1000;

beforeEach(() => {
  // The page's only timer: here a second passes when a test says so. Sockets keep their own clocks.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  return () => {
    vi.useRealTimers();
  };
});

const idle = () => makeSource(gatewayStatus([instanceStatus('openai')]));

/** Something to see: a state unlike the one before. */
function change(source: Source, attempts: number): void {
  source.current = gatewayStatus([instanceStatus('openai', { attempts })]);
}

interface Watched {
  readonly port: number;
  readonly url: string;
  readonly page: ReturnType<typeof statusPage>;
  /** How many responses to viewers are open. */
  readonly viewers: number;
  /** Resolves when that many are. */
  open(count: number): Promise<void>;
}

/** A page on a port of its own. */
async function watch(source: Source): Promise<Watched> {
  const page = statusPage(source);
  onTestFinished(() => page.close());
  let viewers = 0;
  let look = (): void => {};
  const { url, port } = await serve((req, res) => {
    page(req, res);
    if (res.statusCode !== 200) return;
    viewers++;
    look();
    res.once('close', () => {
      viewers--;
      look();
    });
  });
  return {
    page,
    url,
    port,
    get viewers() {
      return viewers;
    },
    async open(count) {
      while (viewers !== count) {
        await new Promise<void>((resolve) => {
          look = resolve;
        });
      }
    },
  };
}

const asks = 'GET /events HTTP/1.1\r\nHost: status.test\r\n\r\n';

/** A viewer that has been sent the state. */
async function view(port: number): Promise<RawClient> {
  const client = await connectRaw(port);
  client.write(asks);
  await client.until('\n\n\r\n');
  await client.until('"gateways"');
  return client;
}

/** More than what the kernel takes in for a reader that is asleep. */
const LARGE = 12_000_000;

function large(attempts: number): GatewayStatus {
  return gatewayStatus([instanceStatus('openai', { attempts, model: 'm'.repeat(LARGE) })]);
}

/** A viewer that reads nothing, and the response to it. */
async function sleep(source: Source): Promise<{ socket: net.Socket; response: http.ServerResponse }> {
  const page = statusPage(source);
  const { port, server } = await serve(page);
  const asked = once(server, 'request');
  const socket = net.connect(port, '127.0.0.1');
  onTestFinished(() => {
    page.close();
    socket.destroy();
  });
  socket.on('error', () => {});
  socket.write(asks);
  const [, response] = await asked;
  return { socket, response };
}

/** The states a viewer has been sent, by how many attempts they tell of. */
function attemptsSeen({ received }: RawClient): readonly unknown[] {
  return [...received.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) =>
    readPath(JSON.parse(json), 'gateways', 0, 'status', 'instances', 0, 'attempts'),
  );
}

describe('a viewer', () => {
  it('is sent the state at once, in the form of status.json, and how soon to come back', async () => {
    const source = idle();
    const { port } = await watch(source);
    const { received } = await view(port);
    expect(received).toContain('retry: 1000\n\n');
    const [, json = ''] = /^data: (\{.*)$/m.exec(received) ?? [];
    expect(JSON.parse(json)).toEqual({
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      gateways: [{ name: 'gateway 1', status: source.current }],
    });
  });

  it('is sent a change within a second, and the last of several changes in it only', async () => {
    const source = idle();
    const { port } = await watch(source);
    const client = await view(port);
    change(source, 1);
    change(source, 2);
    vi.advanceTimersByTime(SECOND);
    await client.until('"attempts":2');
    expect(attemptsSeen(client)).toEqual([0, 2]);
  });

  it('is sent nothing while nothing changes, but a sign of life every 15 seconds', async () => {
    const source = idle();
    const { port } = await watch(source);
    const client = await view(port);
    vi.advanceTimersByTime(14 * SECOND);
    change(source, 1);
    vi.advanceTimersByTime(SECOND);
    await client.until('"attempts":1');
    expect(client.received).not.toContain('heartbeat');
    vi.advanceTimersByTime(15 * SECOND);
    await client.until(': heartbeat\nevent: alive\ndata: 1\n\n');
    expect(attemptsSeen(client)).toEqual([0, 1]);
  });

  it('can name an instance whatever it likes without ending its event', async () => {
    const name = 'a\n\ndata: {"forged":1}\r\n\r\n\u2028b';
    const { port } = await watch(makeSource(gatewayStatus([instanceStatus(name)])));
    const { received } = await view(port);
    const lines = received.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'));
    expect(lines).toHaveLength(1);
  });

  it('is let go when status() throws, and the process lives', async () => {
    const source = idle();
    const { port, url } = await watch(source);
    const client = await view(port);
    source.status = () => {
      throw new Error('of the source');
    };
    vi.advanceTimersByTime(SECOND);
    await client.closed();
    expect((await fetch(url)).status).toBe(200);
  });

  it('that has left before its turn takes no place', async () => {
    const page = statusPage(idle());
    onTestFinished(() => page.close());
    const { port, server } = await serve((req, res) => {
      // As an authentication does that takes longer than the viewer cares to wait.
      res.once('close', () => {
        page(req, res);
        server.emit('served');
      });
    });
    const asked = once(server, 'request');
    const served = once(server, 'served');
    const client = await connectRaw(port);
    client.write(asks);
    await asked;
    client.socket.destroy();
    await served;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('outlives the time-outs of the host server', async () => {
    const source = idle();
    const page = statusPage(source);
    const { port, server } = await serve(page);
    const sockets: { readonly timeout?: number | undefined }[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    server.setTimeout(60 * SECOND);
    await view(port);
    expect(sockets.map((socket) => socket.timeout)).toEqual([0]);
    page.close();
  });
});

describe('viewers', () => {
  it('share one timer, and the last one to leave stops it', async () => {
    const source = idle();
    const watched = await watch(source);
    expect(vi.getTimerCount()).toBe(0);
    const clients = [await view(watched.port), await view(watched.port)];
    expect(vi.getTimerCount()).toBe(1);
    clients[0]?.socket.destroy();
    await watched.open(1);
    expect(vi.getTimerCount()).toBe(1);
    clients[1]?.socket.destroy();
    await watched.open(0);
    expect(vi.getTimerCount()).toBe(0);
    await view(watched.port);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('cost one look at the state a second, however many there are, and none without them', async () => {
    const source = idle();
    const { port } = await watch(source);
    vi.advanceTimersByTime(10 * SECOND);
    expect(source.asked).toBe(0);
    for (let count = 0; count < 3; count++) await view(port);
    const before = source.asked;
    vi.advanceTimersByTime(4 * SECOND);
    expect(source.asked - before).toBe(4);
  });

  it('are a hundred at most: the next is told 503 until one leaves', async () => {
    const watched = await watch(idle());
    const clients: RawClient[] = [];
    for (let count = 0; count < 100; count++) clients.push(await view(watched.port));
    const refused = await fetch(`${watched.url}/events`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    expect((await fetch(`${watched.url}/status.json`)).status).toBe(200);
    clients[0]?.socket.destroy();
    await watched.open(99);
    await view(watched.port);
  });

  it('that do not read are cut, and keep one state in memory at most until then', async () => {
    const source = makeSource(large(0));
    const { response } = await sleep(source);
    const closed = once(response, 'close');
    for (let second = 1; second <= 10; second++) {
      source.current = large(second);
      vi.advanceTimersByTime(SECOND);
      expect(response.writableLength).toBeLessThan(1.1 * LARGE);
    }
    expect(response.destroyed).toBe(false);
    vi.advanceTimersByTime(SECOND);
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that were slow go on with the state as it is then', async () => {
    const source = makeSource(large(0));
    const { response, socket } = await sleep(source);
    for (const attempts of [1, 2, 3]) {
      source.current = large(attempts);
      vi.advanceTimersByTime(SECOND);
    }
    const drained = once(response, 'drain');
    let received = 0;
    let tail = '';
    const updated = new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        received += chunk.length;
        tail = (tail + chunk.toString('latin1')).slice(-2000);
        if (tail.includes('"attempts":4')) resolve();
      });
    });
    await drained;
    change(source, 4);
    vi.advanceTimersByTime(SECOND);
    await updated;
    expect(received).toBeLessThan(1.1 * LARGE);
  });
});

describe('close()', () => {
  it('ends the viewers whole, and lets nobody in any more', async () => {
    const watched = await watch(idle());
    const { port, page, url } = watched;
    const clients = [await view(port), await view(port)];
    page.close();
    for (const client of clients) expect(await client.until('\r\n0\r\n\r\n')).toContain('gateways');
    expect((await fetch(`${url}/events`)).status).toBe(503);
    expect((await fetch(`${url}/status.json`)).status).toBe(200);
    await watched.open(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

const CHILD = `
  import http from 'node:http';
  import { statusPage } from 'ai-proxy-multi';
  const page = statusPage({ status: () => ({ instances: [] }) });
  const server = http.createServer((req, res) => { req.socket.unref(); page(req, res); }).listen(0, '127.0.0.1');
  server.once('listening', () => {
    http.get({ port: server.address().port, host: '127.0.0.1', path: '/events' }, (answer) => {
      answer.once('data', () => { answer.socket.unref(); server.unref(); console.log('watching'); });
    });
  });
`;

describe('the timer', () => {
  it('keeps no process alive, even while somebody watches', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', CHILD], {
      cwd: inject('checkout'),
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const closed = once(child, 'close');
    const [printed, complaints, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    expect([printed, complaints, code]).toEqual(['watching\n', '', 0]);
  });
});
