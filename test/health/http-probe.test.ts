import type net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HttpProbe, type HttpProbeTarget } from '../../lib/health/http-probe.ts';
import { statusRater } from '../../lib/health/probe-outcome.ts';
import { TcpProbe } from '../../lib/health/tcp-probe.ts';
import { type FailureName, failures, rawAnswer, startRawUpstream } from '../support/broken-upstreams.ts';
import { ownPort } from '../support/own-port.ts';
import { startTlsUpstream } from '../support/tls.ts';

const rate = statusRater({
  healthy: { interval: 1, successes: 1, http_statuses: [200, 302] },
  unhealthy: { interval: 1, http_failures: 1, tcp_failures: 1, timeouts: 1, http_statuses: [500] },
});

function openProbe(port: number, more: Partial<HttpProbeTarget> = {}): HttpProbe {
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: llm.test\r\n\r\n');
  const probe = new HttpProbe({
    address: '127.0.0.1',
    port,
    timeoutMs: 10_000,
    method: 'GET',
    tls: undefined,
    request: () => request,
    rate,
    ...more,
  });
  onTestFinished(() => probe.close());
  return probe;
}

describe('a probe', () => {
  it.each([
    ['200 OK', { kind: 'success', reason: 'status 200' }],
    ['500 Internal Server Error', { kind: 'http_failure', reason: 'status 500' }],
    ['418 Teapot', { kind: 'none', reason: 'status 418' }],
  ])('that is answered %s', async (status, outcome) => {
    const upstream = await startRawUpstream((socket) => socket.write(rawAnswer(status, '{}')));
    expect(await openProbe(upstream.port).run()).toEqual(outcome);
  });

  it.each<[FailureName, object]>([
    ['resets the connection before the head', { kind: 'tcp_failure', reason: 'ECONNRESET' }],
    ['closes the connection before the head', { kind: 'tcp_failure', reason: 'ECONNRESET' }],
    ['closes in the middle of the head', { kind: 'tcp_failure', reason: 'ECONNRESET' }],
    ['closes after the head', { kind: 'success', reason: 'status 200' }],
    ['resets after the head', { kind: 'success', reason: 'status 200' }],
    ['says nothing after the head', { kind: 'success', reason: 'status 200' }],
    ['answers something that is not HTTP', { kind: 'http_failure', reason: 'no HTTP answer' }],
    ['answers a head without end', { kind: 'http_failure', reason: 'no HTTP answer' }],
    ['switches protocols unasked', { kind: 'none', reason: 'status 101' }],
  ])('of an instance that %s', async (name, outcome) => {
    const upstream = await startRawUpstream(failures[name]);
    expect(await openProbe(upstream.port).run()).toEqual(outcome);
  });

  it('of an instance that says nothing times out', async () => {
    const upstream = await startRawUpstream(() => {});
    const probe = openProbe(upstream.port, { timeoutMs: 50 });
    expect(await probe.run()).toEqual({ kind: 'timeout', reason: 'timeout' });
    await upstream.deserted();
  });

  it('of an instance that sends its head a byte at a time times out as a whole', async () => {
    const upstream = await startRawUpstream((socket) => {
      const timer = setInterval(() => socket.write('x'), 20);
      socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
      socket.on('close', () => clearInterval(timer));
    });
    const probe = openProbe(upstream.port, { timeoutMs: 200 });
    expect(await probe.run()).toEqual({ kind: 'timeout', reason: 'timeout' });
  });

  it('of a port where nobody listens is refused', async () => {
    const probe = openProbe(await ownPort());
    expect(await probe.run()).toEqual({ kind: 'tcp_failure', reason: 'ECONNREFUSED' });
  });

  it('does not follow a redirect', async () => {
    const answer = rawAnswer('302 Found', '', ['Location: /elsewhere']);
    const upstream = await startRawUpstream((socket) => socket.write(answer));
    const probe = openProbe(upstream.port);
    expect(await probe.run()).toEqual({ kind: 'success', reason: 'status 302' });
    expect(await probe.run()).toEqual({ kind: 'success', reason: 'status 302' });
    expect(upstream.requests.map((request) => request.split('\r\n')[0])).toEqual([
      'GET / HTTP/1.1',
      'GET / HTTP/1.1',
    ]);
  });

  it('reads little of an answer without end, and says goodbye', async () => {
    const upstream = await startRawUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const pour = (): void => {
        while (!socket.destroyed && socket.write(`400\r\n${'x'.repeat(1024)}\r\n`));
      };
      socket.on('drain', pour);
      pour();
    });
    expect(await openProbe(upstream.port).run()).toEqual({ kind: 'success', reason: 'status 200' });
    await upstream.deserted();
  });

  it('that cannot be made counts for nothing', async () => {
    const probe = openProbe(await ownPort(), { request: () => Promise.reject(new Error('no secret')) });
    expect(await probe.run()).toMatchObject({ kind: 'none' });
  });

  it('that nobody makes in time counts for nothing, and is not sent later', async () => {
    const upstream = await startRawUpstream((socket) => socket.write(rawAnswer('200 OK', '{}')));
    let make = (_request: Buffer): void => {};
    const made = new Promise<Buffer>((resolve) => {
      make = resolve;
    });
    const probe = openProbe(upstream.port, { timeoutMs: 20, request: () => made });
    expect(await probe.run()).toMatchObject({ kind: 'none' });
    make(Buffer.from('GET /late HTTP/1.1\r\n\r\n'));
    await made;
    await new Promise(setImmediate);
    expect(upstream.connections).toBe(0);
  });

  it('that is closed while it is under way counts for nothing, and hangs up', async () => {
    const upstream = await startRawUpstream(() => {});
    const probe = openProbe(upstream.port);
    const outcome = probe.run();
    await upstream.requested(1);
    probe.close();
    expect(await outcome).toMatchObject({ kind: 'none' });
    await upstream.deserted();
  });
});

describe("probes' connection", () => {
  it.each([
    ['a length', rawAnswer('200 OK', '{}')],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
  ])('is kept where an answer ends with %s', async (_title, answer) => {
    const upstream = await startRawUpstream((socket) => socket.write(answer));
    const probe = openProbe(upstream.port);
    for (let index = 0; index < 5; index++) expect(await probe.run()).toMatchObject({ kind: 'success' });
    expect(upstream.connections).toBe(1);
  });

  it('is a new one after thirty probes, which notices a server that has stopped listening', async () => {
    const upstream = await startRawUpstream((socket) => socket.write(rawAnswer('200 OK', '{}')));
    const probe = openProbe(upstream.port);
    for (let index = 0; index < 30; index++) await probe.run();
    expect(upstream.connections).toBe(1);
    await probe.run();
    expect(upstream.connections).toBe(2);
    expect(upstream.sockets.size).toBeLessThanOrEqual(2);
  });

  it('is a new one where the last answer has not ended', async () => {
    const upstream = await startRawUpstream((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    );
    const probe = openProbe(upstream.port);
    for (let index = 0; index < 3; index++) expect(await probe.run()).toMatchObject({ kind: 'success' });
    expect(upstream.connections).toBe(3);
  });

  it('brings no answer twice: what is left of the last one is not that of the next', async () => {
    const upstream = await startRawUpstream((socket, count) =>
      socket.write(
        count === 1
          ? 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{'
          : rawAnswer('500 Internal Server Error', '{}'),
      ),
    );
    const request = Buffer.from('GET / HTTP/1.1\r\nHost: llm.test\r\n\r\n');
    let make = (_request: Buffer): void => {};
    const made = new Promise<Buffer>((resolve) => {
      make = resolve;
    });
    const requests = [request, made];
    const probe = openProbe(upstream.port, { request: () => requests.shift() ?? request });
    expect(await probe.run()).toMatchObject({ reason: 'status 200' });
    const outcome = probe.run();
    for (const socket of upstream.sockets) socket.end('}  ');
    await upstream.deserted();
    make(request);
    expect(await outcome).toMatchObject({ reason: 'status 500' });
  });

  it('is replaced without a failure where the server closes it as the next probe comes in', async () => {
    const upstream = await startRawUpstream((socket, count) => {
      if (count % 2 === 0) socket.resetAndDestroy();
      else socket.write(rawAnswer('200 OK', '{}'));
    });
    const probe = openProbe(upstream.port);
    expect(await probe.run()).toMatchObject({ kind: 'success' });
    expect(await probe.run()).toMatchObject({ kind: 'success' });
    expect([upstream.connections, upstream.requests.length]).toEqual([2, 3]);
  });

  it('is not tried a third time', async () => {
    const upstream = await startRawUpstream((socket, count) => {
      if (count > 1) socket.resetAndDestroy();
      else socket.write(rawAnswer('200 OK', '{}'));
    });
    const probe = openProbe(upstream.port);
    await probe.run();
    expect(await probe.run()).toEqual({ kind: 'tcp_failure', reason: 'ECONNRESET' });
    expect(upstream.requests).toHaveLength(3);
  });

  it('is given up when something comes over it that nobody has asked for', async () => {
    let serverSide: net.Socket | undefined;
    const upstream = await startRawUpstream((socket) => {
      serverSide = socket;
      socket.write(rawAnswer('200 OK', '{}'));
    });
    const probe = openProbe(upstream.port);
    await probe.run();
    serverSide?.write(rawAnswer('500 Internal Server Error', '{}'));
    await upstream.deserted();
    expect(await probe.run()).toMatchObject({ kind: 'success' });
  });
});

describe('a probe over TLS', () => {
  const tls = (more: object = {}) => ({ tls: { name: 'localhost', verifyCertificate: false, ...more } });

  it('says nothing to a server whose certificate it does not trust', async () => {
    let requests = 0;
    const upstream = await startTlsUpstream(() => requests++);
    const probe = openProbe(upstream.port, tls({ verifyCertificate: true }));
    expect(await probe.run()).toEqual({ kind: 'tcp_failure', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(requests).toBe(0);
  });

  it('asks for its host by name, over a connection that it keeps', async () => {
    const upstream = await startTlsUpstream((_req, res) => res.end('{}'));
    const probe = openProbe(upstream.port, tls({ name: 'llm.test' }));
    for (let index = 0; index < 3; index++) expect(await probe.run()).toMatchObject({ kind: 'success' });
    expect(upstream.names).toEqual(['llm.test']);
  });

  it('asks for no name where it has only an address', async () => {
    const upstream = await startTlsUpstream((_req, res) => res.end('{}'));
    expect(await openProbe(upstream.port, tls({ name: '127.0.0.1' })).run()).toMatchObject({
      kind: 'success',
    });
    expect(upstream.names).toEqual([false]);
  });

  it('of a server that does not speak TLS fails', async () => {
    const upstream = await startRawUpstream(
      () => {},
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    expect(await openProbe(upstream.port, tls()).run()).toMatchObject({ kind: 'tcp_failure' });
  });
});

describe('a TCP probe', () => {
  const open = (port: number, timeoutMs = 10_000) => new TcpProbe({ address: '127.0.0.1', port, timeoutMs });

  it('succeeds once it is connected, says nothing and leaves', async () => {
    let heard = '';
    const upstream = await startRawUpstream(
      () => {},
      (socket) => socket.on('data', (bytes) => (heard += bytes)),
    );
    expect(await open(upstream.port).run()).toEqual({ kind: 'success', reason: 'connected' });
    await upstream.deserted();
    expect([upstream.connections, heard]).toEqual([1, '']);
  });

  it('fails where nobody listens', async () => {
    expect(await open(await ownPort()).run()).toEqual({ kind: 'tcp_failure', reason: 'ECONNREFUSED' });
  });
});
