import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadModelRouter } from '../../lib/config/load-model-router.ts';
import { selfSigned } from '../support/tls.ts';
import { errorOf, faultsOf, pathsOf } from './loading.ts';
import { directModel, loadDirect, loadKey, providerKey, routerOf } from './model-router-parts.ts';

afterEach(() => vi.unstubAllEnvs());

const certificate = selfSigned().cert.toString();
const withKey = (fields: Record<string, unknown>) => routerOf({ provider_keys: [providerKey(fields)] });
const faults = (fields: Record<string, unknown>) => faultsOf(withKey(fields), loadModelRouter);
const says = (text: string) => expect.stringContaining(text);

describe('what a provider key is loaded into', () => {
  it('has every default', () => {
    expect(loadKey({})).toEqual({
      id: 'pk',
      displayName: 'main',
      adapter: 'openai',
      apiKey: 'k',
      apiBase: 'https://api.openai.com/v1',
      verifyCertificate: true,
      request: { paramRenames: {}, defaultHeaders: {}, forwardClientHeaders: [], defaultBodyFields: {} },
      stripHeaders: ['authorization', 'cookie', 'set-cookie', 'x-api-key'],
    });
  });

  it('has what was written', () => {
    vi.stubEnv('TENANT', 'blue');
    const key = loadKey({
      tls: { ca_cert: certificate, verify: false },
      request: {
        param_renames: { max_tokens: 'max_completion_tokens' },
        param_constraints: { temperature_min: 0, temperature_max: 1 },
        default_headers: { 'X-Tenant': '$env://TENANT' },
        forward_client_headers: ['Anthropic-Beta', 'X-Trace-*'],
        default_body_fields: { store: false, metadata: { a: [1] } },
      },
      response: { stream_done_marker: 'optional' },
      strip_headers: ['X-Secret'],
    });
    expect(key).toMatchObject({
      verifyCertificate: false,
      caCertificate: certificate,
      stripHeaders: ['x-secret'],
    });
    expect(key.request).toEqual({
      paramRenames: { max_tokens: 'max_completion_tokens' },
      temperatureMin: 0,
      temperatureMax: 1,
      defaultHeaders: { 'x-tenant': 'blue' },
      forwardClientHeaders: ['anthropic-beta', 'x-trace-*'],
      defaultBodyFields: { store: false, metadata: { a: [1] } },
    });
  });

  it('has records without a prototype', () => {
    const { request } = loadKey({ request: { param_renames: { constructor: 'x' } } });
    expect(Object.getPrototypeOf(request.paramRenames)).toBeNull();
    expect(Object.getPrototypeOf(request.defaultHeaders)).toBeNull();
  });
});

describe('the secret of a provider key', () => {
  it.each([
    ['api_key', { api_key: 'a' }, 'a'],
    ['secret', { api_key: undefined, secret: 'a' }, 'a'],
    ['both, the same', { api_key: 'a', secret: 'a' }, 'a'],
    ['the environment', { api_key: '$env://A_KEY' }, 'from-env'],
    ['the environment, under the other name', { api_key: undefined, secret: '$env://A_KEY' }, 'from-env'],
    ['both, the same in the end', { api_key: 'from-env', secret: '$env://A_KEY' }, 'from-env'],
    ['a secret manager, later', { api_key: '$secret://vault/key' }, '$secret://vault/key'],
    ['nothing', { api_key: '' }, ''],
  ])('comes from %s', (_where, fields, apiKey) => {
    vi.stubEnv('A_KEY', 'from-env');
    expect(loadKey(fields).apiKey).toBe(apiKey);
  });

  it('is absent where there is none', () => {
    expect(loadKey({ api_key: undefined })).not.toHaveProperty('apiKey');
  });

  it.each([
    ['two different ones', { api_key: 'a', secret: 'b' }, 'provider_keys[0].secret', says('another name')],
    [
      'a missing variable',
      { api_key: '$env://NOT_THERE' },
      'provider_keys[0].api_key',
      says('NOT_THERE is not set'),
    ],
    [
      'a line break',
      { secret: 'a\n', api_key: undefined },
      'provider_keys[0].secret',
      says('no header may hold'),
    ],
    ['no text', { api_key: 5 }, 'provider_keys[0].api_key', 'must be a string'],
  ])('is refused with %s', (_what, fields, path, message) => {
    expect(faults(fields)).toEqual([{ path, message }]);
  });

  it('cannot come from a secret manager that is not there', () => {
    const config = withKey({ api_key: '$secret://vault/key' });
    expect(errorOf(config, loadModelRouter, false).errors).toEqual([
      { path: 'provider_keys[0].api_key', message: says('no host.secret') },
    ]);
  });
});

describe('the adapter', () => {
  it.each([
    [{ provider: 'openai' }, 'openai'],
    [{ provider: 'anthropic' }, 'anthropic'],
    [{ provider: 'azure-openai' }, 'azure-openai'],
    [{ provider: 'azure' }, 'azure-openai'],
    [{ provider: 'wafer.ai' }, 'openai'],
    [{ provider: ' Anthropic ' }, 'anthropic'],
    [{ provider: 'wafer.ai', adapter: 'anthropic' }, 'anthropic'],
    [{ provider: 'anthropic', adapter: 'openai' }, 'openai'],
  ])('of %j is %s', (fields, adapter) => {
    expect(loadKey(fields).adapter).toBe(adapter);
  });

  it.each([undefined, '', ' '])('follows the model where the key names no vendor: %j', (provider) => {
    const { providerKey: key } = loadDirect({ provider: 'anthropic' }, { provider });
    expect(key).toMatchObject({ adapter: 'anthropic', apiBase: 'https://api.anthropic.com' });
  });
});

describe('the address of a vendor', () => {
  it.each([
    ['openai', 'https://api.openai.com/v1'],
    ['anthropic', 'https://api.anthropic.com'],
    ['deepseek', 'https://api.deepseek.com'],
    ['aimlapi', 'https://api.aimlapi.com'],
    ['openrouter', 'https://openrouter.ai/api/v1'],
    ['gemini', 'https://generativelanguage.googleapis.com/v1beta/openai'],
  ])('%s is known', (provider, apiBase) => {
    expect(loadKey({ provider }).apiBase).toBe(apiBase);
  });

  it.each(['azure-openai', 'openai-compatible', 'mistral', 'constructor', '__proto__'])(
    '%s is not',
    (provider) => {
      expect(loadKey({ provider })).not.toHaveProperty('apiBase');
    },
  );

  it('fits the adapter', () => {
    expect(loadKey({ provider: 'anthropic', adapter: 'openai' }).apiBase).toBe(
      'https://api.anthropic.com/v1',
    );
    expect(loadKey({ provider: 'openai', adapter: 'anthropic' })).not.toHaveProperty('apiBase');
    expect(loadKey({ provider: 'openai', adapter: 'azure-openai' })).not.toHaveProperty('apiBase');
  });
});

describe('api_base', () => {
  const anthropic = 'anthropic';
  const azure = 'azure-openai';
  it.each([
    ['openai', 'https://llm.example.com/v1', 'https://llm.example.com/v1'],
    ['openai', ' https://llm.example.com/v1/// ', 'https://llm.example.com/v1'],
    ['openai', 'HTTPS://LLM.example.com', 'https://llm.example.com'],
    ['openai', 'http://127.0.0.1:8000/', 'http://127.0.0.1:8000'],
    ['openai', 'https://llm.example.com/v1/chat/completions', 'https://llm.example.com/v1'],
    ['openai', 'https://llm.example.com/v1/chat/completions/', 'https://llm.example.com/v1'],
    ['openai', 'https://llm.example.com/v1/completions', 'https://llm.example.com/v1'],
    ['openai', 'https://llm.example.com/v1/embeddings', 'https://llm.example.com/v1'],
    ['openai', 'https://llm.example.com/v1/responses', 'https://llm.example.com/v1'],
    ['openai', 'https://llm.example.com/v1/models', 'https://llm.example.com/v1'],
    ['openai', 'https://llm.example.com/chat', 'https://llm.example.com/chat'],
    ['openai', 'https://api.openai.com', 'https://api.openai.com/v1'],
    ['openai', 'https://api.openai.com/', 'https://api.openai.com/v1'],
    ['openai', 'https://api.openai.com/chat/completions', 'https://api.openai.com/v1'],
    ['openai', 'https://api.openai.com:8443', 'https://api.openai.com:8443'],
    ['openai', '', 'https://api.openai.com/v1'],
    ['openai', '  ', 'https://api.openai.com/v1'],
    [anthropic, 'https://api.anthropic.com', 'https://api.anthropic.com'],
    [anthropic, 'https://api.anthropic.com/v1', 'https://api.anthropic.com'],
    [anthropic, 'https://api.anthropic.com/v1/', 'https://api.anthropic.com'],
    [anthropic, 'https://api.anthropic.com/v1/messages', 'https://api.anthropic.com'],
    [anthropic, 'https://proxy.example.com/claude/v1/messages/', 'https://proxy.example.com/claude'],
    [azure, 'https://r.openai.azure.com/', 'https://r.openai.azure.com'],
    [azure, 'https://r.openai.azure.com/openai/deployments/gpt-4o', 'https://r.openai.azure.com'],
    [
      azure,
      'https://r.openai.azure.com/openai/deployments/gpt-4o/chat/completions',
      'https://r.openai.azure.com',
    ],
    [azure, 'https://r.openai.azure.com/openai/v1/', 'https://r.openai.azure.com/openai/v1'],
  ])('for %s, "%s" is %s', (provider, api_base, apiBase) => {
    expect(loadKey({ provider, api_base })).toMatchObject({ apiBase });
    expect(loadKey({ provider, api_base })).not.toHaveProperty('query');
  });

  it('may have a query, which is kept apart', () => {
    const api_base =
      'https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21';
    const expected = { apiBase: 'https://r.openai.azure.com', query: 'api-version=2024-10-21' };
    expect(loadKey({ provider: azure, api_base })).toMatchObject(expected);
  });

  it('may come from the environment', () => {
    vi.stubEnv('LLM_URL', 'http://10.0.0.1:11434/v1/');
    expect(loadKey({ api_base: '$env://LLM_URL' }).apiBase).toBe('http://10.0.0.1:11434/v1');
  });

  it.each([
    'llm.example.com',
    '//llm.example.com',
    'ftp://llm.example.com',
    'http:llm.example.com',
    'https://',
    'https://user@llm.example.com',
    'https://:password@llm.example.com',
    'https://llm.example.com/#top',
    '$secret://vault/url',
    5,
  ])('refuses %j', (api_base) => {
    expect(pathsOf(withKey({ api_base }), loadModelRouter)).toEqual(['provider_keys[0].api_base']);
  });
});

describe('default_headers', () => {
  it.each([
    'authorization',
    'Cookie',
    'x-api-key',
    'api-key',
    'connection',
    'transfer-encoding',
    'proxy-authorization',
    'host',
    'Content-Length',
    'content-type',
    'expect',
    'upgrade',
  ])('may not have %s', (name) => {
    expect(faults({ request: { default_headers: { [name]: 'x' } } })).toEqual([
      { path: says('provider_keys[0].request.default_headers'), message: says('is not allowed') },
    ]);
  });

  it.each([
    ['an illegal name', { 'x y': 'z' }, 'is no name that a header may have'],
    ['an empty name', { '': 'z' }, 'is no name that a header may have'],
    ['a line break', { 'x-a': 'b\r\nx: y' }, says('no header may hold')],
    ['a name twice', { 'x-a': 'b', 'X-A': 'c' }, says('is there twice')],
    ['a missing variable', { 'x-a': '$env://NOT_THERE' }, says('is not set')],
    ['no text', { 'x-a': 5 }, 'must be a string'],
  ])('may not have %s', (_what, default_headers, message) => {
    expect(faults({ request: { default_headers } })).toEqual([{ path: expect.any(String), message }]);
  });
});

describe('what else is wrong with a provider key', () => {
  it.each([
    ['no name', { display_name: undefined }, 'display_name'],
    ['a certificate that is none', { tls: { ca_cert: 'x' } }, 'tls.ca_cert'],
    [
      'a certificate with nothing in it',
      { tls: { ca_cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' } },
      'tls.ca_cert',
    ],
    ['a certificate from a secret manager', { tls: { ca_cert: '$secret://vault/ca' } }, 'tls.ca_cert'],
    ['verify that is neither', { tls: { verify: 0 } }, 'tls.verify'],
    [
      'an empty range',
      { request: { param_constraints: { temperature_min: 1, temperature_max: 0 } } },
      'request.param_constraints.temperature_min',
    ],
    ['an empty new name', { request: { param_renames: { a: '' } } }, 'request.param_renames.a'],
    [
      'two wildcards',
      { request: { forward_client_headers: ['*-a-*'] } },
      'request.forward_client_headers[0]',
    ],
    ['an empty header', { request: { forward_client_headers: [''] } }, 'request.forward_client_headers[0]'],
    ['a header that is none', { strip_headers: ['a b'] }, 'strip_headers[0]'],
    ['another marker', { response: { stream_done_marker: 'maybe' } }, 'response.stream_done_marker'],
  ])('is told: %s', (_what, fields, path) => {
    expect(pathsOf(withKey(fields), loadModelRouter)).toEqual([`provider_keys[0].${path}`]);
  });

  it.each(['content_list_to_string', 'error_envelope', 'reasoning_field'])('%s is not supported', (field) => {
    expect(faults({ response: { [field]: 'x' } })).toEqual([
      { path: `provider_keys[0].response.${field}`, message: says('is not supported') },
    ]);
  });
});

describe('a key that names no vendor', () => {
  it('is completed once for every vendor it is used for', () => {
    const models = ['openai', 'anthropic', 'openai'].map((provider, index) =>
      directModel({ display_name: `m${index}`, provider }),
    );
    const config = routerOf({ provider_keys: [providerKey({ provider: undefined })], models });
    const keys = loadModelRouter(config, console, { hasSecretResolver: true }).models.map((model) =>
      model.kind === 'direct' ? model.providerKey : undefined,
    );
    expect(keys.map((key) => key?.adapter)).toEqual(['openai', 'anthropic', 'openai']);
    expect(keys[0]).toBe(keys[2]);
  });
});
