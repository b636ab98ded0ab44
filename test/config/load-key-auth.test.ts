import { describe, expect, it } from 'vitest';
import { loadGate } from '../../lib/config/load-gate.ts';
import { loadKeyAuth } from '../../lib/config/load-key-auth.ts';
import type { LoadedKeyAuth } from '../../lib/config/loaded-key-auth.ts';
import { faultsOf, type Load, pathsOf, recordWarnings, warningsOf } from './loading.ts';

function load(config: unknown): LoadedKeyAuth {
  return loadKeyAuth(config, recordWarnings());
}

describe('what key-auth is loaded into', () => {
  it('has every default', () => {
    expect(load({})).toEqual({ header: 'apikey', query: 'apikey', hideCredentials: false, realm: 'key' });
  });

  it('has what was written, the header in lower case', () => {
    const written = {
      header: 'X-Api-Key',
      query: 'Key',
      hide_credentials: true,
      realm: 'the shop [1]',
      anonymous_consumer: 'guest',
    };
    expect(load(written)).toEqual({
      header: 'x-api-key',
      query: 'Key',
      hideCredentials: true,
      realm: 'the shop [1]',
      anonymousConsumer: 'guest',
    });
    expect(Object.isFrozen(load(written))).toBe(true);
  });
});

describe('key-auth', () => {
  it.each([
    ['header', ['a b', '', 'a:b', 'ä', 'a\r\nb', 5, null]],
    ['query', [5, null, {}]],
    ['hide_credentials', ['yes', 1, null]],
    ['realm', ['', 'a"b', 'a\\b', 'a\nb', 'ä', 'x'.repeat(129), 5, null]],
    ['anonymous_consumer', ['', 5, null]],
  ])('refuses a wrong %s', (field, values) => {
    for (const value of values) expect(pathsOf({ [field]: value }, loadKeyAuth)).toEqual([field]);
  });

  it.each([undefined, null, 5, 'text', []])('refuses %s', (config) => {
    expect(pathsOf(config, loadKeyAuth)).toEqual(['']);
  });

  it('warns of a slip', () => {
    expect(warningsOf({ hide_credential: true, _meta: {} }, loadKeyAuth)).toEqual([
      {
        path: 'hide_credential',
        message: 'unknown field "hide_credential"; did you mean "hide_credentials"?',
      },
    ]);
  });
});

describe('key-auth and its consumers', () => {
  const loadBoth: Load = (input, logger, options) => loadGate(input, [{ username: 'jane' }], logger, options);

  it('are loaded together', () => {
    const options = { hasSecretResolver: false };
    const gate = loadGate({ anonymous_consumer: 'jane' }, [{ username: 'jane' }], recordWarnings(), options);
    expect(gate.keyAuth.anonymousConsumer).toBe('jane');
    expect(gate.consumers).toEqual([{ username: 'jane', keys: [] }]);
  });

  it('must know the anonymous consumer', () => {
    expect(faultsOf({ anonymous_consumer: 'jnae' }, loadBoth)).toEqual([
      {
        path: 'anonymous_consumer',
        message: 'is "jnae", must be the username of one of the consumers; did you mean "jane"?',
      },
    ]);
  });

  it('have their faults told at once', () => {
    const loadFaulty: Load = (input, logger, options) => loadGate(input, [{}], logger, options);
    expect(pathsOf({ realm: '' }, loadFaulty)).toEqual(['realm', 'consumers[0].username']);
  });
});
