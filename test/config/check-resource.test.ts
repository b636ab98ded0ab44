import { describe, expect, it } from 'vitest';
import { checkResource } from '../../lib/config/check-resource.ts';
import { alias, callerKey, directModel, hashOf, providerKey } from './model-router-parts.ts';

const says = (text: string) => expect.stringContaining(text);

describe('one resource by itself', () => {
  it.each([
    ['models', directModel({ provider_key_id: 'of another resource' })],
    ['models', alias({ targets: [{ model: 'not there' }] })],
    [
      'models',
      directModel({ cooldown: {}, background_model_check: {}, cost: { input_per_1k: 1, output_per_1k: 1 } }),
    ],
    ['provider_keys', providerKey({ api_key: '$secret://vault/key', tls: {}, request: {}, response: {} })],
    ['provider_keys', providerKey({ request: { default_body_fields: { anything: { at: 'all' } } } })],
    ['api_keys', callerKey({ expires_at: '2027-01-31T12:00:00Z', rate_limit: { rpm: 0 } })],
  ] as const)('%s takes %j', (kind, value) => {
    expect(checkResource(kind, value)).toEqual([]);
  });

  it.each([
    ['models', directModel({ timeuot: 5 }), 'timeuot', 'is not a known field; did you mean "timeout"?'],
    ['models', directModel({ zone: 5 }), 'zone', 'is not a known field'],
    [
      'models',
      alias({ targets: [{ model: 'a', wieght: 1 }] }),
      'routing.targets[0].wieght',
      says('"weight"?'),
    ],
    [
      'models',
      alias({ hash_on: [{ type: 'api_key', nmae: 'x' }] }),
      'routing.hash_on[0].nmae',
      says('"name"?'),
    ],
    ['provider_keys', providerKey({ tls: { verfy: false } }), 'tls.verfy', says('"verify"?')],
    [
      'provider_keys',
      providerKey({ request: { headers: {} } }),
      'request.headers',
      says('"default_headers"?'),
    ],
    ['api_keys', callerKey({ disabeld: true }), 'disabeld', says('"disabled"?')],
  ] as const)('%s takes no field that is not known: %j', (kind, value, path, message) => {
    expect(checkResource(kind, value)).toEqual([{ path, message }]);
  });

  it.each([
    ['models', directModel({ model_name: undefined }), '', says('either routing, or')],
    ['models', directModel({ ensemble: {} }), 'ensemble', says('is not supported')],
    ['models', directModel({ id: 'status' }), 'id', says('which is a path of the admin API')],
    ['models', directModel({ allowed_cidrs: ['x'] }), 'allowed_cidrs[0]', says('must be a network')],
    ['models', alias({}, { retries: 1 }), 'retries', says('cannot stand beside "routing"')],
    ['provider_keys', providerKey({ id: '' }), 'id', says('1 to 256 characters')],
    ['provider_keys', providerKey({ api_base: 'x' }), 'api_base', says('must be an http or https URL')],
    ['provider_keys', providerKey({ secret: 'other' }), 'secret', says('another name')],
    ['api_keys', callerKey({ key_hash: hashOf('a').slice(1) }), 'key_hash', says('must be a string')],
    ['api_keys', callerKey({ expires_at: 'soon' }), 'expires_at', says('RFC 3339')],
  ] as const)('%s is refused as it is at mount: %j', (kind, value, path, message) => {
    expect(checkResource(kind, value)).toContainEqual({ path, message });
  });

  it('is told everything at once', () => {
    const value = directModel({ timeout: -1, ensemble: {}, zone: 1, allowed_cidrs: ['x'] });
    const paths = checkResource('models', value).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['timeout', 'ensemble', 'zone', 'allowed_cidrs[0]']));
  });

  it.each([null, undefined, 5, 'sk-1', [], [{}]])('is an object, unlike %j', (value) => {
    expect(checkResource('provider_keys', value)).toEqual([{ path: '', message: 'must be an object' }]);
  });

  it('is left as it was', () => {
    const value = providerKey({
      api_key: '$env://PATH',
      request: { default_headers: { 'x-a': '$env://PATH' } },
    });
    const before = structuredClone(value);
    checkResource('provider_keys', value);
    expect(value).toEqual(before);
  });

  it('is no thing that JSON does not have', () => {
    const value: Record<string, unknown> = directModel();
    value.cooldown = value;
    expect(checkResource('models', value)).toEqual([{ path: 'cooldown', message: 'holds itself' }]);
  });

  it('says of the first of many misspelt fields what may have been meant, and names them all', () => {
    const misspelt = Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`timeuot${index}`, 1]));
    const faults = checkResource('models', directModel(misspelt));
    expect(faults).toHaveLength(30_000);
    expect(faults.filter(({ message }) => message.includes('did you mean'))).toHaveLength(20);
  });
});
