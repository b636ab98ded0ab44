import { ConfigError } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { makeAdminRouter } from '../../../lib/model-router/admin/make-admin-router.ts';
import { sendRaw } from '../../support/gateway.ts';
import { ADMIN_KEY, caller, makeLogger, makeRegistry, primary, startAdmin } from './admin-app.ts';

const requests = [
  ['GET', '/admin/v1/models'],
  ['POST', '/admin/v1/models'],
  ['GET', '/admin/v1/models/status'],
  ['GET', '/admin/v1/models/m-primary'],
  ['PUT', '/admin/v1/models/m-primary'],
  ['DELETE', '/admin/v1/models/m-primary'],
  ['PATCH', '/admin/v1/models/m-primary'],
  ['GET', '/admin/v1/provider_keys'],
  ['GET', '/admin/v1/apikeys'],
  ['GET', '/admin/v1/api_keys'],
  ['POST', '/admin/v1/apikeys/k-1/rotate'],
  ['POST', '/admin/v1/api_keys/k-1/rotate'],
] as const;

describe('without an admin key', () => {
  it.each(requests)('%s %s is answered 401, and nothing changes', async (method, path) => {
    const { url, registry } = await startAdmin({
      models: [{ id: 'm-primary', ...primary }],
      api_keys: [{ id: 'k-1', ...caller }],
    });
    const response = await fetch(`${url}${path}`, { method });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ error_msg: 'An admin key is required.' });
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(registry.saved).toEqual([]);
  });

  it.each([
    ['another key', { authorization: `Bearer ${'x'.repeat(ADMIN_KEY.length)}` }],
    ['a longer key', { authorization: `Bearer ${ADMIN_KEY}x` }],
    ['the beginning of the key', { authorization: `Bearer ${ADMIN_KEY.slice(0, -1)}` }],
    ['nothing behind the scheme', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${ADMIN_KEY}` }],
    ['no scheme', { authorization: ADMIN_KEY }],
    ['an empty x-api-key', { 'x-api-key': '' }],
    ['a very long key', { 'x-api-key': 'x'.repeat(8000) }],
    ['the key in another case', { 'x-api-key': ADMIN_KEY.toUpperCase() }],
  ])('%s is answered 401', async (_what, headers) => {
    const { url } = await startAdmin();
    expect((await fetch(`${url}/admin/v1/models`, { headers: { ...headers } })).status).toBe(401);
  });

  it('the body is not read', async () => {
    const { port } = await startAdmin();
    const answer = await sendRaw(port, 'POST /admin/v1/models', ['Content-Length: 100000000']);
    expect(answer.status).toBe(401);
  });
});

describe('with an admin key', () => {
  const keys = ['first-key', 'sésame'];
  const start = () =>
    startAdmin({}, { makeRouter: (registry, logger) => makeAdminRouter({ keys }, registry, logger) });

  it.each([
    ['as a bearer token', { authorization: 'Bearer first-key' }],
    ['in lower case', { authorization: 'bearer first-key' }],
    ['as x-api-key', { 'x-api-key': 'first-key' }],
    ['as x-api-key behind a proxy that logs in', { authorization: 'Basic eDp5', 'x-api-key': 'first-key' }],
    ['that is not the first, in UTF-8', { 'x-api-key': Buffer.from('sésame').toString('latin1') }],
  ])('%s one may read', async (_what, headers) => {
    const { url } = await start();
    expect((await fetch(`${url}/admin/v1/models`, { headers: { ...headers } })).status).toBe(200);
  });
});

describe('the admin API is not made', () => {
  const make = (options: unknown) => () =>
    Reflect.apply(makeAdminRouter, undefined, [options, makeRegistry(), makeLogger([])]);

  it.each([
    ['without options', undefined, 'options.keys: must be a list'],
    ['without keys', { keys: [] }, 'options.keys: must be a list of at least one key'],
    ['with a key instead of a list', { keys: 'secret-key' }, 'options.keys: must be a list'],
    ['with a key that is not set', { keys: [undefined] }, 'options.keys[0]: is not set'],
    ['with one key of two that is not set', { keys: ['a', undefined] }, 'options.keys[1]: is not set'],
    ['with an empty key', { keys: [''] }, 'options.keys[0]: is empty'],
    ['with a number', { keys: [1] }, 'options.keys[0]: must be a string'],
    ['with a line break at the end of a key', { keys: ['secret-key\n'] }, 'options.keys[0]: must not hold'],
    ['with a key as long as a book', { keys: ['x'.repeat(5000)] }, 'options.keys[0]: must not be longer'],
    ['with a misspelt option', { keys: ['a'], kyes: [] }, 'did you mean "keys"?'],
  ])('%s', (_what, options, message) => {
    expect(make(options)).toThrow(ConfigError);
    expect(make(options)).toThrow(message);
    expect(make(options)).not.toThrow('secret-key');
  });
});
