import { describe, expect, it } from 'vitest';
import { loadSingleConfig } from '../../lib/config/load-config.ts';
import { configOf, instance, warningsOf } from './loading.ts';

const inInstance = (fields: Record<string, unknown>) => configOf({ instances: [instance(fields)] });
const beside = 'it belongs inside the instance (instances[i]), beside "provider"';

describe('a field that looks like a slip is warned of', () => {
  it.each([
    [configOf({ timeuot: 1 }), 'timeuot', 'did you mean "timeout"?'],
    [configOf({ maxRetries: 1 }), 'maxRetries', 'did you mean "max_retries"?'],
    [configOf({ fallback_stategy: [] }), 'fallback_stategy', 'did you mean "fallback_strategy"?'],
    [configOf({ balancer: { hash_no: 'vars' } }), 'balancer.hash_no', 'did you mean "hash_on"?'],
    [configOf({ logging: { summary: true } }), 'logging.summary', 'did you mean "summaries"?'],
    [inInstance({ priorty: 1 }), 'instances[0].priorty', 'did you mean "priority"?'],
    [
      inInstance({ override: { end_point: 'x' } }),
      'instances[0].override.end_point',
      'did you mean "endpoint"?',
    ],
    [
      inInstance({ checks: { active: { healthy: { success: 1 } } } }),
      'instances[0].checks.active.healthy.success',
      'did you mean "successes"?',
    ],
    [configOf({ checks: { active: {} } }), 'checks', beside],
    [configOf({ logging: { override: {} } }), 'logging.override', beside],
    [inInstance({ model: 'gpt-4' }), 'instances[0].model', 'it belongs inside options'],
    [inInstance({ endpoint: 'http://a' }), 'instances[0].endpoint', 'it belongs inside override'],
  ])('%j', (config, path, advice) => {
    const [warning, ...others] = warningsOf(config);
    expect(others).toEqual([]);
    expect(warning?.path).toBe(path);
    expect(warning?.message).toMatch(/^unknown field "\w+"; /);
    expect(warning?.message).toContain(advice);
  });

  it('is warned of at the top level of ai-proxy, too', () => {
    const config = { provider: 'openai', auth: {}, ssl_verfy: false, logging: { override: {} } };
    expect(warningsOf(config, loadSingleConfig).map(({ path }) => path)).toEqual([
      'ssl_verfy',
      'logging.override',
    ]);
  });
});

describe('nothing is said', () => {
  it.each([
    ['of unknown fields that resemble nothing', configOf({ _meta: {}, note: 'x' })],
    ['of what is in options', inInstance({ options: { modle: 'x', mode1: 'y' } })],
    [
      'of what is in request_body',
      inInstance({ override: { request_body: { passthrough: { endpoint: 1 } } } }),
    ],
    ['of what is in auth', inInstance({ auth: { header: { provider: 'x', hedaer: 'y' } } })],
    [
      'of an endpoint that is there',
      inInstance({ provider: 'azure-openai', override: { endpoint: 'http://a' } }),
    ],
  ])('%s', (_what, config) => {
    expect(warningsOf(config)).toEqual([]);
  });
});

describe('an instance that cannot do what it is meant to', () => {
  it.each(['openai-compatible', 'azure-openai'])('is warned of when %s has no endpoint', (provider) => {
    const message = `missing, but ${provider} needs it: this instance is never picked`;
    expect(warningsOf(inInstance({ provider }))).toEqual([
      { path: 'instances[0].override.endpoint', message },
    ]);
    expect(warningsOf({ provider, auth: {} }, loadSingleConfig)).toEqual([
      { path: 'override.endpoint', message },
    ]);
  });

  it('is warned of when it has credentials of a cloud', () => {
    const auth = { gcp: {}, aws: { access_key_id: 'a', secret_access_key: 'b' } };
    expect(warningsOf(inInstance({ auth }))).toEqual([
      { path: 'instances[0].auth.gcp', message: 'does nothing with the provider openai' },
      { path: 'instances[0].auth.aws', message: 'does nothing with the provider openai' },
    ]);
  });
});
