import { afterEach, describe, expect, it, vi } from 'vitest';
import { resolveEnvironment } from '../../lib/config/environment-references.ts';
import { errorOf, faultsOf, instance, load } from './loading.ts';

const environment = {
  KEY: 'sk-1',
  _other: 'sk-2',
  EMPTY: '',
  NUMBERS: '{"port":8080,"half":0.5}',
  DEEP: '{"llm":{"open-ai":{"key.v1":"sk-3"}},"list":["a","b"],"yes":true,"none":null}',
  NESTED: '$env://KEY',
  DOLLARS: "$& $1 $'",
  TEXT: 'no JSON: sk-4',
};

describe('$env:// references are filled in', () => {
  it.each([
    ['$env://KEY', 'sk-1'],
    ['Bearer $env://KEY', 'Bearer sk-1'],
    ['$env://KEY:$env://_other!', 'sk-1:sk-2!'],
    ['$ENV://KEY and $Env://KEY', 'sk-1 and sk-1'],
    ['[$env://EMPTY]', '[]'],
    ['$env://KEY/', 'sk-1/'],
    ['$env://KEY, next', 'sk-1, next'],
    ['$env://KEY-$env://KEY', 'sk-1-sk-1'],
    ['$env://NUMBERS/port $env://NUMBERS/half', '8080 0.5'],
    ['$env://DEEP/llm/open-ai/key.v1', 'sk-3'],
    ['$env://DEEP/list/1', 'b'],
    ['$env://DOLLARS', "$& $1 $'"],
    ['$env://NESTED', '$env://KEY'],
    ['env://KEY $env:/KEY', 'env://KEY $env:/KEY'],
    ['$secret://KEY', '$secret://KEY'],
    ['', ''],
  ])('%s gives %s', (text, expected) => {
    expect(resolveEnvironment(text, environment)).toEqual({ text: expected });
  });
});

describe('$env:// references that cannot be', () => {
  it.each([
    ['$env://MISSING', ['the environment variable MISSING is not set']],
    ['$env://key', ['the environment variable key is not set']],
    ['$env://toString', ['the environment variable toString is not set']],
    [
      '$env://A $env://KEY $env://B',
      ['the environment variable A is not set', 'the environment variable B is not set'],
    ],
    ['$env://', ['$env:// is not followed by the name of a variable']],
    ['$env://1KEY', ['$env:// is not followed by the name of a variable']],
    ['$env:///KEY', ['$env:// is not followed by the name of a variable']],
    ['$env://TEXT/key', ['the environment variable TEXT does not hold JSON']],
    ['$env://DEEP/llm', ['the environment variable DEEP holds no string or number at /llm']],
    ['$env://DEEP/yes', ['the environment variable DEEP holds no string or number at /yes']],
    ['$env://DEEP/none/x', ['the environment variable DEEP holds no string or number at /none/x']],
    ['$env://DEEP/list/length', ['the environment variable DEEP holds no string or number at /list/length']],
    [
      '$env://DEEP/constructor/name',
      ['the environment variable DEEP holds no string or number at /constructor/name'],
    ],
  ])('%s: %j', (text, problems) => {
    expect(resolveEnvironment(text, environment)).toEqual({ problems });
  });
});

describe('in a configuration', () => {
  afterEach(() => vi.unstubAllEnvs());
  const withAuth = (auth: unknown) => ({ instances: [instance({ auth })] });

  it('the references in header and query are resolved', () => {
    vi.stubEnv('TEST_KEY', 'sk-5');
    const auth = { header: { Authorization: 'Bearer $env://TEST_KEY' }, query: { key: '$env://TEST_KEY' } };
    expect(load(withAuth(auth)).instances[0]?.auth).toEqual({
      header: { Authorization: 'Bearer sk-5' },
      query: { key: 'sk-5' },
    });
  });

  it('those elsewhere are plain text', () => {
    const [loaded] = load({ instances: [instance({ options: { model: '$env://NOT_THERE' } })] }).instances;
    expect(loaded?.options.model).toBe('$env://NOT_THERE');
  });

  it('every missing variable is a fault at its place', () => {
    const auth = { header: { a: '$env://NOT_A', b: 'x' }, query: { c: '$env://NOT_B $env://NOT_C' } };
    expect(faultsOf(withAuth(auth))).toEqual([
      { path: 'instances[0].auth.header.a', message: 'the environment variable NOT_A is not set' },
      { path: 'instances[0].auth.query.c', message: 'the environment variable NOT_B is not set' },
      { path: 'instances[0].auth.query.c', message: 'the environment variable NOT_C is not set' },
    ]);
  });

  it.each(['sk-6\n', 'sk-6\r\nx: y', 'sk\0-6', 'sk–6'])('a header value of %j is a fault', (value) => {
    vi.stubEnv('TEST_KEY', 'x');
    const [fault] = faultsOf(withAuth({ header: { a: `$env://TEST_KEY ${value}` } }));
    expect(fault).toEqual({
      path: 'instances[0].auth.header.a',
      message: 'holds a character that no header may hold, such as a line break',
    });
    expect(load(withAuth({ query: { a: value } })).instances[0]?.auth.query.a).toBe(value);
  });

  it('a secret reference needs a host.secret', () => {
    const config = withAuth({ header: { a: 'Bearer $secret://vault/key' } });
    expect(load(config).instances[0]?.auth.header.a).toBe('Bearer $secret://vault/key');
    expect(errorOf(config, undefined, false).errors).toEqual([
      {
        path: 'instances[0].auth.header.a',
        message: 'refers to $secret://, but there is no host.secret to resolve it',
      },
    ]);
  });
});
