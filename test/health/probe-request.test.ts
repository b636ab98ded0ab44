import { describe, expect, it } from 'vitest';
import { countUnsendable, probeRequest } from '../../lib/health/probe-request.ts';

const plain: Parameters<typeof probeRequest>[0] = {
  http_method: 'GET',
  http_path: '/',
  http_req_body: '',
  req_headers: [],
};
type Credentials = Parameters<typeof probeRequest>[2];

const nobody: Credentials = { headers: [], query: [], secrets: [] };

function request(checks: Partial<typeof plain>, credentials: Credentials = nobody): string {
  return probeRequest({ ...plain, ...checks }, 'llm.test', credentials).toString('latin1');
}

describe('a probe over the wire', () => {
  it('is no more than it needs to be', () => {
    expect(request({})).toBe('GET / HTTP/1.1\r\nHost: llm.test\r\n\r\n');
  });

  it.each([
    ['with a query', '/health?deep=1', '/health?deep=1'],
    ['without its slash', 'health', '/health'],
    ['of another host', '//other.test/health', '//other.test/health'],
    ['with blanks', '/is it up', '/is%20it%20up'],
    ['that is escaped already', '/a%20b', '/a%20b'],
    ['with a line break', '/ HTTP/1.1\r\nX: y', '/%20HTTP/1.1X:%20y'],
    ['with letters of all kinds', '/gesündheit', '/ges%C3%BCndheit'],
  ])('has a path %s', (_title, http_path, expected) => {
    expect(request({ http_path }).split('\r\n')[0]).toBe(`GET ${expected} HTTP/1.1`);
  });

  it('counts the bytes of its body, not the letters', () => {
    expect(request({ http_method: 'POST', http_req_body: '{"a":"ü"}' })).toMatch(
      /\r\nContent-Type: application\/json\r\nContent-Length: 10\r\n\r\n\{"a":"Ã¼"\}$/,
    );
  });

  it('says that its body is empty where a method is expected to have one', () => {
    expect(request({ http_method: 'POST' })).toContain('\r\nContent-Length: 0\r\n');
  });

  it('lets the given header lines win over all others', () => {
    const credentials = { headers: [['authorization', 'Bearer a'] as const], query: [], secrets: [] };
    const checks = {
      http_req_body: 'x',
      req_headers: ['Host: b', 'AUTHORIZATION: c', 'content-type: d', 'X: e', 'X: f'],
    };
    expect(probeRequest({ ...plain, ...checks }, 'llm.test', credentials).toString()).toBe(
      [
        'GET / HTTP/1.1',
        'Host: b',
        'AUTHORIZATION: c',
        'content-type: d',
        'X: e',
        'X: f',
        'Content-Length: 1',
        '',
        'x',
      ].join('\r\n'),
    );
  });

  it.each([
    ['without a colon', 'nonsense'],
    ['without a name', ': value'],
    ['with a blank in its name', 'X Y: z'],
    ['that holds a second one', 'X: y\r\nEvil: z'],
    ['that ends the head', 'X: y\n\n'],
    ['with letters no header may hold', 'X: →'],
    ['that says how long the body is', 'Content-Length: 99'],
    ['that says how the body is framed', 'transfer-encoding: chunked'],
  ])('leaves out a line %s', (_title, line) => {
    expect(request({ req_headers: [line, 'Kept: yes'] })).toBe(
      'GET / HTTP/1.1\r\nHost: llm.test\r\nKept: yes\r\n\r\n',
    );
    expect(countUnsendable([line, 'Kept: yes'])).toBe(1);
  });

  it('adds the credentials of header and query', () => {
    const credentials = {
      headers: [['x-api-key', 'one'] as const],
      query: [['key', 'two&three'] as const],
      secrets: [],
    };
    expect(
      probeRequest({ ...plain, http_path: '/up?key=mine&a=b' }, 'llm.test', credentials).toString(),
    ).toBe('GET /up?key=two%26three&a=b HTTP/1.1\r\nHost: llm.test\r\nx-api-key: one\r\n\r\n');
  });
});
