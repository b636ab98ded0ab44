import { describe, expect, it } from 'vitest';
import { makeAnswerReader } from '../../lib/health/answer-reader.ts';

/** Status and phase after a whole answer, which must not depend on where it was cut. */
function read(answer: string, method = 'GET'): readonly [number | undefined, string] {
  const whole = makeAnswerReader(method);
  whole.push(Buffer.from(answer, 'latin1'));
  const bytewise = makeAnswerReader(method);
  for (const byte of Buffer.from(answer, 'latin1')) bytewise.push(Buffer.of(byte));
  expect([bytewise.status, bytewise.phase]).toEqual([whole.status, whole.phase]);
  return [whole.status, whole.phase];
}

const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;

describe('an answer to a probe', () => {
  it.each<[title: string, answer: string, status: number | undefined, phase: string]>([
    ['has no status before its head is complete', 'HTTP/1.1 200 OK\r\nA: b\r\n', undefined, 'head'],
    ['ends with its length', `${head('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`, 200, 'whole'],
    ['does not end before', `${head('HTTP/1.1 200 OK', 'Content-Length: 3')}ok`, 200, 'body'],
    ['may be empty', head('HTTP/1.1 503 Down', 'content-length:0'), 503, 'whole'],
    ['needs no reason', head('HTTP/1.1 200', 'Content-Length: 0'), 200, 'whole'],
    ['has no body with 204', head('HTTP/1.1 204 No Content'), 204, 'whole'],
    [
      'ends with its last chunk',
      `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}2;x=y\r\nok\r\nA\r\n0123456789\r\n0\r\n\r\n`,
      200,
      'whole',
    ],
    [
      'may have a trailer',
      `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}0\r\nA: b\r\n\r\n`,
      200,
      'whole',
    ],
    [
      'does not end where a chunk only looks like the end',
      `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\n0\r\n\r\n\r\n`,
      200,
      'body',
    ],
    [
      'comes after interim ones',
      head('HTTP/1.1 100 Continue') +
        head('HTTP/1.1 103 Early Hints', 'Link: </a>') +
        head('HTTP/1.1 200 OK', 'Content-Length: 0'),
      200,
      'whole',
    ],
  ])('%s', (_title, answer, status, phase) => {
    expect(read(answer)).toEqual([status, phase]);
  });

  it('has no body when only the head was asked for', () => {
    expect(read(head('HTTP/1.1 200 OK', 'Content-Length: 99'), 'HEAD')).toEqual([200, 'whole']);
  });
});

describe('an answer after which the connection cannot be used again', () => {
  it.each<[title: string, answer: string]>([
    ['says so', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'Connection: close')],
    ['says so among others', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'Connection: x, Close')],
    ['is of HTTP/1.0', head('HTTP/1.0 200 OK', 'Content-Length: 0')],
    ['does not say where it ends', head('HTTP/1.1 200 OK')],
    ['says it twice', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'Content-Length: 0')],
    ['says it in two ways', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'Transfer-Encoding: chunked')],
    ['says it in a way of its own', head('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, chunked')],
    ['has a length that is none', head('HTTP/1.1 200 OK', 'Content-Length: -1')],
    ['is longer than it said', `${head('HTTP/1.1 200 OK', 'Content-Length: 1')}ok`],
    ['is longer than a probe reads', head('HTTP/1.1 200 OK', 'Content-Length: 70000')],
    ['breaks its chunks', `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}zz\r\n`],
    ['goes on after its chunks', `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}0\r\n\r\nHTTP/1.1`],
    [
      'has a chunk size without end',
      `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}${'0'.repeat(2000)}`,
    ],
  ])('%s', (_title, answer) => {
    expect(read(answer)).toEqual([200, 'last']);
  });

  it.each<[title: string, answer: string, method: string]>([
    ['switches protocols', head('HTTP/1.1 101 Switching Protocols', 'Upgrade: h2c'), 'GET'],
    ['opens a tunnel', head('HTTP/1.1 200 OK', 'Content-Length: 0'), 'CONNECT'],
  ])('%s', (_title, answer, method) => {
    expect(read(answer, method)[1]).toBe('last');
  });

  it('sends chunks without end', () => {
    const reader = makeAnswerReader('GET');
    reader.push(Buffer.from(head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')));
    const chunk = Buffer.from(`400\r\n${'x'.repeat(1024)}\r\n`);
    let pushes = 0;
    while (reader.phase === 'body' && pushes++ < 1000) reader.push(chunk);
    expect([reader.status, reader.phase]).toEqual([200, 'last']);
    expect(pushes).toBeLessThan(100);
  });
});

describe('what is not HTTP', () => {
  it.each<[title: string, answer: string]>([
    ['a greeting of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a TLS alert', '\x15\x03\x03\x00\x02\x02\x46'],
    ['another version', head('HTTP/2.0 200 OK')],
    ['a status of four digits', head('HTTP/1.1 2000 OK')],
    ['a status below 100', head('HTTP/1.1 050 OK')],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'X-Bomb: 0123456789abcdef\r\n'.repeat(4000)}`],
  ])('%s', (_title, answer) => {
    expect(read(answer)).toEqual([undefined, 'invalid']);
  });
});
