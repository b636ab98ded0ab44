import { describe, expect, it } from 'vitest';
import { configOf, errorOf, instance, load, pathsOf } from './loading.ts';

describe('what a configuration is loaded into', () => {
  it('has every default when only the required fields were written', () => {
    expect(load(configOf())).toEqual({
      instances: [
        {
          name: 'one',
          provider: 'openai',
          priority: 0,
          weight: 1,
          auth: { header: {}, query: {} },
          options: {},
          requestBody: {},
          forceRequestBody: false,
        },
      ],
      balancer: { algorithm: 'roundrobin', hash_on: 'vars' },
      fallback: { on429: false, on5xx: false, onRateLimit: false, statuses: [] },
      timeout: 30000,
      max_req_body_size: 67108864,
      keepalive: true,
      keepalive_timeout: 60000,
      keepalive_pool: 30,
      ssl_verify: true,
      logging: { summaries: false, payloads: false },
      passthrough: false,
    });
  });

  it('has what was written in place of the defaults', () => {
    const written = {
      balancer: { algorithm: 'chash', hash_on: 'vars_combinations', key: '$http_x-user$arg_tenant' },
      fallback_strategy: ['http_429'],
      fallback_http_statuses: [401, 402],
      max_retries: 0,
      retry_on_failure_within_ms: 10,
      timeout: 1,
      max_req_body_size: 2,
      max_stream_duration_ms: 3,
      max_response_bytes: 4,
      keepalive: false,
      keepalive_timeout: 1000,
      keepalive_pool: 5,
      ssl_verify: false,
      logging: { summaries: true, payloads: true },
      streaming_flush_interval_ms: 0,
    };
    const { instances: _, ...loaded } = load(configOf(written));
    const {
      fallback_strategy: _1,
      fallback_http_statuses: _2,
      streaming_flush_interval_ms: _3,
      ...same
    } = written;
    expect(loaded).toEqual({
      ...same,
      fallback: { on429: true, on5xx: false, onRateLimit: false, statuses: [401, 402] },
      passthrough: false,
    });
  });

  it('has all of an instance in our own names', () => {
    const override = {
      endpoint: 'https://llm.example.com/v1/chat?api-version=1',
      llm_options: { max_tokens: 50 },
      request_body: { 'openai-chat': { seed: 7 }, 'bedrock-converse': {} },
      request_body_force_override: true,
    };
    const config = configOf({
      instances: [
        instance({ priority: -3, weight: 0, options: { model: 'gpt-4o', temperature: 1 }, override }),
      ],
    });
    expect(load(config).instances[0]).toEqual({
      name: 'one',
      provider: 'openai',
      priority: -3,
      weight: 0,
      auth: { header: {}, query: {} },
      options: { model: 'gpt-4o', temperature: 1 },
      endpoint: 'https://llm.example.com/v1/chat?api-version=1',
      maxTokens: 50,
      requestBody: { 'openai-chat': { seed: 7 }, 'bedrock-converse': {} },
      forceRequestBody: true,
    });
  });

  it('completes health checks, also the parts that were left out', () => {
    const { checks } =
      load(configOf({ instances: [instance({ checks: { active: { healthy: { interval: 9 } } } })] }))
        .instances[0] ?? {};
    expect(checks?.active).toEqual({
      type: 'http',
      timeout: 1,
      concurrency: 10,
      http_method: 'GET',
      http_path: '/',
      http_req_body: '',
      https_verify_certificate: true,
      req_headers: [],
      healthy: { interval: 9, http_statuses: [200, 302], successes: 2 },
      unhealthy: {
        interval: 1,
        http_statuses: [429, 404, 500, 501, 502, 503, 504, 505],
        http_failures: 5,
        tcp_failures: 2,
        timeouts: 3,
      },
    });
  });

  it('has no cooldown unless an instance has one that is switched on', () => {
    const cooldowns = [undefined, {}, { enabled: false }, { default_seconds: 0 }, { max_seconds: 5 }];
    const instances = cooldowns.map((cooldown, index) => instance({ name: `i${index}`, cooldown }));
    const [absent, written, disabled, zero, shorter] = load({ instances }).instances;
    for (const off of [absent, disabled, zero]) expect(off).not.toHaveProperty('cooldown');
    expect(written?.cooldown).toEqual({
      triggerStatuses: [401, 408, 429, 500, 502, 503, 504],
      triggerOnTimeout: true,
      triggerOnTransport: true,
      defaultMs: 30_000,
      maxMs: 600_000,
      honorRetryAfter: true,
    });
    expect(shorter?.cooldown).toEqual({ ...written?.cooldown, maxMs: 5000 });
  });

  it('has the price of input and output together, and none where it is not known', () => {
    const cost = { input_per_1k: 0.5, output_per_1k: 1.5 };
    const instances = [instance({ cost }), instance({ name: 'two' })];
    const [one, two] = load({ instances }).instances;
    expect(one?.price).toBe(2);
    expect(two).not.toHaveProperty('price');
  });

  it('has the balancers that this package adds, also in the early form', () => {
    const balancer = { algorithm: 'least_busy' };
    expect(load(configOf({ balancer })).balancer.algorithm).toBe('least_busy');
    const providers = [{ name: 'openai', model: 'm', auth: {}, cooldown: {} }];
    const early = load({ providers, balancer: { algorithm: 'least_cost' } });
    expect(early.balancer.algorithm).toBe('least_cost');
    expect(early.instances[0]?.cooldown?.defaultMs).toBe(30_000);
  });

  it('does not carry unknown fields along', () => {
    const loaded = load(configOf({ _meta: { disable: false }, instances: [instance({ zone: 'eu' })] }));
    expect(loaded).not.toHaveProperty('_meta');
    expect(loaded.instances[0]).not.toHaveProperty('zone');
  });

  it('is frozen throughout, while the input stays as it was', () => {
    const written = configOf({ instances: [instance({ options: { stop: ['a'] }, checks: { active: {} } })] });
    const before = structuredClone(written);
    const loaded = load(written);
    expect(written).toEqual(before);
    expect(Object.isFrozen(written)).toBe(false);
    expect(Object.isFrozen(loaded)).toBe(true);
    expect(Object.isFrozen(loaded.instances[0]?.options.stop)).toBe(true);
    expect(Object.isFrozen(loaded.instances[0]?.checks?.active.healthy.http_statuses)).toBe(true);
  });

  it('leaves a faulty input as it was, too', () => {
    const written = configOf({
      timeout: 'soon',
      instances: [instance({ auth: { header: { a: '$env://PATH' } } })],
    });
    const before = structuredClone(written);
    errorOf(written);
    expect(written).toEqual(before);
  });

  it('is not shared between two loads of the same input', () => {
    const written = configOf({ instances: [instance({ options: { nested: {} } })] });
    expect(load(written).instances[0]?.options.nested).not.toBe(load(written).instances[0]?.options.nested);
  });

  it('keeps header and query in records without a prototype', () => {
    const { auth } =
      load(configOf({ instances: [instance({ auth: { header: { constructor: 'x' } } })] })).instances[0] ??
      {};
    expect(Object.getPrototypeOf(auth?.header)).toBeNull();
    expect(Object.getPrototypeOf(auth?.query)).toBeNull();
    expect(auth?.header.constructor).toBe('x');
    expect(auth?.query.toString).toBeUndefined();
  });
});

describe('fallback_strategy', () => {
  const none = { on429: false, on5xx: false, onRateLimit: false };
  it.each([
    [undefined, none],
    ['instance_health_and_rate_limiting', { ...none, onRateLimit: true }],
    ['http_429', { ...none, on429: true }],
    ['http_5xx', { ...none, on5xx: true }],
    [[], none],
    [['rate_limiting'], { ...none, onRateLimit: true }],
    [['http_429', 'http_5xx'], { ...none, on429: true, on5xx: true }],
    [['http_429', 'http_429'], { ...none, on429: true }],
    [['rate_limiting', 'http_429', 'http_5xx'], { on429: true, on5xx: true, onRateLimit: true }],
  ])('%j means %j', (fallback_strategy, expected) => {
    expect(load(configOf({ fallback_strategy })).fallback).toEqual({ ...expected, statuses: [] });
  });
});

describe('override.endpoint', () => {
  const withEndpoint = (endpoint: unknown) => configOf({ instances: [instance({ override: { endpoint } })] });

  it.each([
    ['http://localhost:11434', 'http://localhost:11434/'],
    ['https://llm.example.com/', 'https://llm.example.com/'],
    ['HTTPS://LLM.example.com/A?b=c', 'https://llm.example.com/A?b=c'],
    ['https://[::1]:8443/a%2Fb', 'https://[::1]:8443/a%2Fb'],
    ['https://llm.example.com/a b', 'https://llm.example.com/a%20b'],
  ])('%s is sent to as %s', (endpoint, href) => {
    expect(load(withEndpoint(endpoint)).instances[0]?.endpoint).toBe(href);
  });

  it.each([
    '',
    'llm.example.com',
    '//llm.example.com',
    'ftp://llm.example.com',
    'file:///etc/passwd',
    'http:llm.example.com',
    'http:\\\\llm.example.com',
    'http://',
    'https://llm.example.com:99999',
    'https://user@llm.example.com',
    'https://:password@llm.example.com',
    'https://llm.example.com/#top',
    7,
    null,
  ])('refuses %j', (endpoint) => {
    expect(pathsOf(withEndpoint(endpoint))).toEqual(['instances[0].override.endpoint']);
  });

  it.each([
    'https://user:hidden@llm.example.com/v1',
    'https://llm.example.com/v1?key=hidden#top',
    'ftp://user:hidden@llm.example.com/v1',
    'llm.example.com/v1?key=hidden',
    'user:hidden@llm.example.com',
    'https://user:hid?hidden@llm.example.com',
  ])('is quoted without the credentials of %s', (endpoint) => {
    expect(errorOf(withEndpoint(endpoint)).message).not.toContain('hid');
  });
});

describe('the names of instances', () => {
  it('must differ, and the fault names the earlier one', () => {
    const instances = [instance({ name: 'a' }), instance({ name: 'b' }), instance({ name: 'a' })];
    expect(errorOf({ instances }).errors).toEqual([
      { path: 'instances[2].name', message: 'is "a", must differ from instances[0].name' },
    ]);
  });
});
