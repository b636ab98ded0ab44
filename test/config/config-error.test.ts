import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../lib/config/config-error.ts';
import { configOf, errorOf, faultsOf, instance } from './loading.ts';

function messageOf(config: unknown): string {
  const [fault, ...others] = faultsOf(config);
  expect(others).toEqual([]);
  return fault?.message ?? '';
}

describe('a ConfigError', () => {
  it('names every fault at once, a line each', () => {
    const error = errorOf({
      instances: [
        instance({ weight: -1, auth: { headers: {} }, override: { endpoint: 'nowhere' } }),
        instance({ provider: 'bedrock' }),
        'three',
      ],
      timeout: 0,
      fallback_strategy: 'http_42',
      balancer: { algorithm: 'semantic' },
    });
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.name).toBe('ConfigError');
    expect(error.errors.map(({ path }) => path).sort()).toEqual([
      'balancer.algorithm',
      'fallback_strategy',
      'instances[0].auth.headers',
      'instances[0].override.endpoint',
      'instances[0].weight',
      'instances[1].name',
      'instances[1].provider',
      'instances[2]',
      'timeout',
    ]);
    expect(error.message.split('\n')).toHaveLength(1 + error.errors.length);
    for (const { path, message } of error.errors) expect(error.message).toContain(`\n  ${path}: ${message}`);
  });

  it.each([
    [{ timeout: 0 }, 'is 0, must be an integer from 1 to 600000'],
    [{ timeout: 'soon' }, 'is "soon", must be an integer from 1 to 600000'],
    [{ keepalive: 'yes' }, 'is "yes", must be true or false'],
    [{ keepalive: { a: 1 } }, 'is an object, must be true or false'],
    [{ instances: [] }, 'is [], must be a non-empty array, each item an object'],
    [{ max_retries: [{}] }, 'is an array, must be an integer of at least 0'],
    [
      { fallback_http_statuses: [401, 401] },
      'is [401,401], must be a non-empty array, each item an integer from 400 to 599, no two alike',
    ],
    [{ instances: [instance({ name: '' })] }, 'is "", must be a string of 1 to 100 characters'],
    [{ instances: [instance({ auth: 5 })] }, 'must be an object'],
    [{ instances: [instance({ auth: undefined })] }, 'is missing, must be an object'],
    [
      { instances: [instance({ checks: { active: { timeout: 0 } } })] },
      'is 0, must be a number greater than 0',
    ],
  ])('%j: %s', (fields, message) => {
    expect(messageOf(configOf(fields))).toBe(message);
  });

  it.each([undefined, null, 5, 'text', [], () => {}])('says that %s is no configuration', (config) => {
    const [fault] = faultsOf(config);
    expect(fault?.path).toBe('');
    expect(fault?.message).toMatch(/must be an object$/);
    expect(errorOf(config).message).toMatch(/^The configuration has a fault:\n {2}the configuration: is /);
  });

  it('quotes long values only in part', () => {
    const message = messageOf(configOf({ timeout: 'x'.repeat(10_000) }));
    expect(message).toContain('xxx…');
    expect(message.length).toBeLessThan(150);
  });

  it('shows no line break that a value or a name brings along', () => {
    const config = configOf({
      timeout: 'a\nb',
      instances: [instance({ auth: { header: { 'c\r\nd': '' } } })],
    });
    expect(errorOf(config).message.split('\n')).toHaveLength(3);
    expect(errorOf(config).message).toContain('instances[0].auth.header["c\\r\\nd"]');
  });
});

describe('of the faults of fallback_strategy', () => {
  const all =
    '"instance_health_and_rate_limiting", "http_429" or "http_5xx", or an array, each item "rate_limiting", "http_429" or "http_5xx"';

  it.each([
    ['http_42', `is "http_42", must be ${all}; did you mean "http_429"?`],
    ['rate_limiting', `is "rate_limiting", must be ${all}; did you mean ["rate_limiting"]?`],
    ['whatever', `is "whatever", must be ${all}`],
    [7, `is 7, must be ${all}`],
    [null, `is null, must be ${all}`],
  ])('%j has one, for both forms', (fallback_strategy, message) => {
    expect(faultsOf(configOf({ fallback_strategy }))).toEqual([{ path: 'fallback_strategy', message }]);
  });

  it('those of an array are at its items', () => {
    const allowed = 'must be "rate_limiting", "http_429" or "http_5xx"';
    expect(faultsOf(configOf({ fallback_strategy: ['http_429', 'http5xx', 3] }))).toEqual([
      { path: 'fallback_strategy[1]', message: `is "http5xx", ${allowed}; did you mean "http_5xx"?` },
      { path: 'fallback_strategy[2]', message: `is 3, ${allowed}` },
    ]);
  });
});

describe('what is not supported yet', () => {
  it.each(['vertex-ai', 'bedrock'])('is said of the provider %s', (provider) => {
    expect(messageOf(configOf({ instances: [instance({ provider })] }))).toMatch(
      new RegExp(`^is "${provider}", which is not supported yet; must be "openai", `),
    );
  });

  it('is said of the semantic balancer', () => {
    expect(messageOf(configOf({ balancer: { algorithm: 'semantic' } }))).toBe(
      'is "semantic", which is not supported yet; must be "roundrobin", "chash", "least_busy", "least_latency" or "least_cost"',
    );
  });

  it('is said of a provider in the early form', () => {
    expect(messageOf({ providers: [{ name: 'bedrock', model: 'm', auth: {} }] })).toContain(
      'not supported yet',
    );
  });
});

describe('did you mean', () => {
  it.each([
    [{ balancer: { hash_on: 'headers' } }, 'did you mean "header"?'],
    [{ balancer: { algorithm: 'round_robin' } }, 'did you mean "roundrobin"?'],
    [{ instances: [instance({ provider: 'OpenAI' })] }, 'did you mean "openai"?'],
    [{ instances: [instance({ provider: 'anthropc' })] }, 'did you mean "anthropic"?'],
    [{ instances: [instance({ provider: 'openai_compatible' })] }, 'did you mean "openai-compatible"?'],
    [{ instances: [instance({ provider: 'azure' })] }, 'did you mean "azure-openai"?'],
    [{ instances: [instance({ auth: { headers: {} } })] }, 'did you mean "header"?'],
    [
      { instances: [instance({ override: { request_body: { openai_chat: {} } } })] },
      'did you mean "openai-chat"?',
    ],
    [{ instances: [instance({ weight: undefined, wieght: 1 })] }, 'did you write "wieght" for it?'],
    [{ instances: undefined, instance: [] }, 'did you write "instance" for it?'],
  ])('helps with %j', (fields, hint) => {
    expect(messageOf(configOf(fields))).toContain(hint);
  });

  it('is not asked when nothing is near', () => {
    expect(messageOf(configOf({ instances: [instance({ provider: 'zzz' })] }))).not.toContain('did you');
    expect(messageOf(configOf({ instances: [instance({ weight: undefined, note: 1 })] }))).not.toContain(
      'did you',
    );
  });
});
