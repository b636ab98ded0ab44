import { describe, expect, it } from 'vitest';
import { formatPath, fromPointer, isSecretPath } from '../../lib/config/json-path.ts';

describe('formatPath', () => {
  it.each([
    [[], ''],
    [['timeout'], 'timeout'],
    [['instances', 0, 'weight'], 'instances[0].weight'],
    [['instances', 0, 'auth', 'header', 'x y'], 'instances[0].auth.header["x y"]'],
    [['a', 'x-api-key'], 'a["x-api-key"]'],
    [['a', '0'], 'a["0"]'],
    [['', 'a"b', 'c\nd'], '[""]["a\\"b"]["c\\nd"]'],
    [[1], '[1]'],
    [['n'.repeat(200)], `["${'n'.repeat(80)}…"]`],
    [['nodes', 'user:password@host'], 'nodes["…"]'],
  ])('%j is %s', (path, expected) => {
    expect(formatPath(path)).toBe(expected);
  });
});

describe('fromPointer', () => {
  it('tells positions from names by the data', () => {
    const data = { list: [{ '0': { 'a/b~c': 1 } }] };
    expect(fromPointer('/list/0/0/a~1b~0c', data)).toEqual(['list', 0, '0', 'a/b~c']);
    expect(fromPointer('', data)).toEqual([]);
  });
});

describe('isSecretPath', () => {
  it('holds for auth and everything under it', () => {
    expect(isSecretPath(['instances', 0, 'auth'])).toBe(true);
    expect(isSecretPath(['instances', 0, 'auth', 'header', 'x'])).toBe(true);
    expect(isSecretPath(['instances', 0, 'name'])).toBe(false);
  });

  it.each([
    [['redis_password']],
    [['sentinel_password', 0]],
    [['plugins', 'key-auth', 'key']],
    [['credentials', 0]],
    [['tls', 'client_key']],
  ])('holds for %j', (path) => {
    expect(isSecretPath(path)).toBe(true);
  });
});
