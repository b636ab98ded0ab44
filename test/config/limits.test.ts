import { describe, expect, it } from 'vitest';
import { configOf, instance, load, pathsOf } from './loading.ts';

const none = undefined;
const secondWords = ['', 'seven', null, {}, []];
const notBoolean = [0, 1, 'true', null, {}];
const notObject = [0, 'x', null, [], true];
const long = 'n'.repeat(101);

/** A field, values it takes, and values it refuses. */
type Row = readonly [field: string, good: readonly unknown[], bad: readonly unknown[]];

const topLevel: readonly Row[] = [
  ['instances', [[instance()]], [none, [], {}, 'x', null, [5]]],
  ['balancer', [none, {}], notObject],
  ['fallback_strategy', [none, 'http_429', []], ['rate_limiting', 'never', 5, null, {}, true]],
  [
    'fallback_http_statuses',
    [none, [400], [599, 401]],
    [[], [399], [600], [401, 401], ['401'], 401, [4.5], null],
  ],
  ['max_retries', [none, 0, 7], [-1, 1.5, ...secondWords]],
  ['retry_on_failure_within_ms', [none, 1], [0, 1.5, ...secondWords]],
  ['timeout', [none, 1, 600000], [0, 600001, 1.5, ...secondWords]],
  ['max_req_body_size', [none, 1], [0, 1.5, ...secondWords]],
  ['max_stream_duration_ms', [none, 1], [0, 1.5, ...secondWords]],
  ['max_response_bytes', [none, 1], [0, 1.5, ...secondWords]],
  ['keepalive', [none, true, false], notBoolean],
  ['keepalive_timeout', [none, 1000], [999, 1000.5, ...secondWords]],
  ['keepalive_pool', [none, 1], [0, 1.5, ...secondWords]],
  ['ssl_verify', [none, true, false], notBoolean],
  ['logging', [none, {}], notObject],
  ['streaming_flush_interval_ms', [none, 0, 10], [-1, 1.5, ...secondWords]],
  ['semantic_opts', [none], [...notObject]],
];

const cost = { input_per_1k: 0.5, output_per_1k: 1.5 };

const ofInstance: readonly Row[] = [
  ['name', ['n', 'n'.repeat(100)], [none, '', long, 5, null]],
  [
    'provider',
    [
      'openai',
      'deepseek',
      'aimlapi',
      'anthropic',
      'openai-compatible',
      'azure-openai',
      'openrouter',
      'gemini',
    ],
    [none, '', 'OpenAI', 'vertex-ai', 'bedrock', 5, null],
  ],
  ['weight', [0, 1, 1e6], [none, -1, 1.5, ...secondWords]],
  ['priority', [none, -5, 0, 5], [1.5, ...secondWords]],
  ['auth', [{}], [none, ...notObject]],
  ['options', [none, {}, { model: 'm', stream: true }], notObject],
  ['override', [none, {}], notObject],
  ['provider_conf', [none, {}, { project_id: 'p', region: 'r' }], notObject],
  ['checks', [none, { active: {} }], notObject],
  ['cooldown', [none, {}, { enabled: false }], notObject],
  ['cost', [none, cost], [{}, { input_per_1k: 1 }, ...notObject]],
  ['examples', [none, ['a'], Array(64).fill('a')], [[], [''], [5], Array(65).fill('a'), 'a', null]],
  ['threshold', [none, -1, 0.5, 1], [-1.1, 1.1, '0', null]],
];

const ofAuth: readonly Row[] = [
  ['header', [none, {}, { Authorization: 'x', 'api.key_1-a': '' }], notObject],
  ['query', [none, {}, { key: 'x' }], notObject],
  ['gcp', [none, {}, { service_account_json: '{}', max_ttl: 1, expire_early_secs: 0 }], notObject],
  ['aws', [none, { access_key_id: 'a', secret_access_key: 'b', session_token: 'c' }], notObject],
];

const ofOverride: readonly Row[] = [
  ['endpoint', [none, 'http://a'], ['', 5, null]],
  ['llm_options', [none, {}, { max_tokens: 1 }], notObject],
  ['request_body', [none, {}], notObject],
  ['request_body_force_override', [none, true, false], notBoolean],
];

const ofRequestBody: readonly Row[] = [
  'openai-chat',
  'openai-responses',
  'openai-embeddings',
  'anthropic-messages',
  'bedrock-converse',
  'passthrough',
].map((protocol) => [protocol, [none, {}, { a: { b: [1] } }], notObject]);

const ofActive: readonly Row[] = [
  ['type', [none, 'http', 'https', 'tcp'], ['udp', 5, null]],
  ['timeout', [none, 0.5, 30], [0, -1, '1', null]],
  ['concurrency', [none, 1], [0, 1.5, null]],
  ['host', [none, 'a.example.com', '127.0.0.1', '[::1]', '*.example.com', '*'], ['', 'a b', 'a/b', 5, null]],
  ['port', [none, 1, 65535], [0, 65536, 1.5, '80', null]],
  ['http_method', [none, 'GET', 'POST', 'HEAD', 'PURGE'], ['get', 'FETCH', 5, null]],
  ['http_path', [none, '/health?deep=1'], [5, null]],
  ['http_req_body', [none, '{}'], [5, null, {}]],
  ['https_verify_certificate', [none, true, false], notBoolean],
  ['req_headers', [none, ['a: b']], [[], [5], 'a: b', null]],
  ['healthy', [none, {}], notObject],
  ['unhealthy', [none, {}], notObject],
];

const statuses: Pick<Row, 1 | 2> = { 1: [none, [], [100, 599, 429]], 2: [[99], [600], ['429'], 429, null] };
const ofCooldown: readonly Row[] = [
  ['enabled', [none, true, false], notBoolean],
  ['trigger_statuses', statuses[1], statuses[2]],
  ['trigger_on_timeout', [none, true, false], notBoolean],
  ['trigger_on_transport', [none, true, false], notBoolean],
  ['default_seconds', [none, 0, 30], [-1, 1.5, 1e9, ...secondWords]],
  ['max_seconds', [none, 1, 600], [0, 1.5, 1e9, ...secondWords]],
  ['honor_retry_after', [none, true, false], notBoolean],
];
const ofCost: readonly Row[] = [
  ['input_per_1k', [0, 0.01], [none, -1, '1', null]],
  ['output_per_1k', [0, 0.01], [none, -1, '1', null]],
];

const count: Pick<Row, 1 | 2> = { 1: [none, 1, 254], 2: [0, 255, 1.5, '1', null] };
const ofHealthy: readonly Row[] = [
  ['interval', [none, 1, 3600], [0, 1.5, '1', null]],
  ['http_statuses', [none, [200], [599]], [[], [199], [600], [200, 200], 200, null]],
  ['successes', count[1], count[2]],
];
const ofUnhealthy: readonly Row[] = [
  ['interval', [none, 1], [0, 1.5, '1', null]],
  ['http_statuses', [none, [200], [599]], [[], [199], [600], [500, 500], 500, null]],
  ['http_failures', count[1], count[2]],
  ['tcp_failures', count[1], count[2]],
  ['timeouts', count[1], count[2]],
];

const ofBalancer: readonly Row[] = [
  [
    'algorithm',
    [none, 'roundrobin', 'least_busy', 'least_latency', 'least_cost'],
    ['chash', 'semantic', 'random', 5, null],
  ],
  [
    'hash_on',
    [none, 'vars', 'header', 'cookie', 'consumer', 'vars_combinations'],
    ['headers', 'ip', 5, null],
  ],
  ['key', [none, 'remote_addr', ''], [5, null, {}]],
];

const ofLogging: readonly Row[] = [
  ['summaries', [none, true, false], notBoolean],
  ['payloads', [none, true, false], notBoolean],
];

const ofAws: readonly Row[] = [
  ['access_key_id', ['a'], [none, '', 5, null]],
  ['secret_access_key', ['a'], [none, '', 5, null]],
  ['session_token', [none, 'a'], ['', 5, null]],
];

const ofGcp: readonly Row[] = [
  ['service_account_json', [none, '{}'], [5, null, {}]],
  ['max_ttl', [none, 1], [0, 1.5, '1', null]],
  ['expire_early_secs', [none, 0], [-1, 1.5, '1', null]],
];

const inInstance = (fields: Record<string, unknown>) => configOf({ instances: [instance(fields)] });
const aws = { access_key_id: 'a', secret_access_key: 'b' };
const places: Record<string, { rows: readonly Row[]; put: (fields: Record<string, unknown>) => unknown }> = {
  '': { rows: topLevel, put: configOf },
  'balancer.': { rows: ofBalancer, put: (balancer) => configOf({ balancer }) },
  'logging.': { rows: ofLogging, put: (logging) => configOf({ logging }) },
  'instances[0].': { rows: ofInstance, put: inInstance },
  'instances[0].auth.': { rows: ofAuth, put: (auth) => inInstance({ auth }) },
  'instances[0].auth.aws.': {
    rows: ofAws,
    put: (fields) => inInstance({ auth: { aws: { ...aws, ...fields } } }),
  },
  'instances[0].auth.gcp.': { rows: ofGcp, put: (gcp) => inInstance({ auth: { gcp } }) },
  'instances[0].override.': { rows: ofOverride, put: (override) => inInstance({ override }) },
  'instances[0].override.request_body.': {
    rows: ofRequestBody,
    put: (request_body) => inInstance({ override: { request_body } }),
  },
  'instances[0].cooldown.': { rows: ofCooldown, put: (cooldown) => inInstance({ cooldown }) },
  'instances[0].cost.': { rows: ofCost, put: (fields) => inInstance({ cost: { ...cost, ...fields } }) },
  'instances[0].checks.active.': { rows: ofActive, put: (active) => inInstance({ checks: { active } }) },
  'instances[0].checks.active.healthy.': {
    rows: ofHealthy,
    put: (healthy) => inInstance({ checks: { active: { healthy } } }),
  },
  'instances[0].checks.active.unhealthy.': {
    rows: ofUnhealthy,
    put: (unhealthy) => inInstance({ checks: { active: { unhealthy } } }),
  },
};

for (const [prefix, { rows, put }] of Object.entries(places)) {
  describe(`the limits of ${prefix === '' ? 'the top level' : prefix}`, () => {
    it.each(rows.flatMap(([field, good]) => good.map((value) => ({ field, value }))))(
      '$field takes $value',
      ({ field, value }) => {
        expect(() => load(put({ [field]: value }))).not.toThrow();
      },
    );

    it.each(rows.flatMap(([field, , bad]) => bad.map((value) => ({ field, value }))))(
      '$field refuses $value, and the fault is at its place',
      ({ field, value }) => {
        const paths = pathsOf(put({ [field]: value }));
        expect(paths).not.toEqual([]);
        for (const path of paths) expect(formatted(path)).toMatch(start(prefix, field, value));
      },
    );
  });
}

/** Names with a dash are quoted in paths; here all are compared in one spelling. */
function formatted(path: string): string {
  return path.replace(/\["([\w-]+)"\]/g, '.$1');
}

/** chash misses its key rather than having a wrong name. */
function start(prefix: string, field: string, value: unknown): RegExp {
  const place = value === 'chash' ? `${prefix}key` : `${prefix}${field}`;
  return new RegExp(`^${place.replace(/[.[\]]/g, '\\$&')}`);
}

describe('fields that only some places have', () => {
  it.each([
    ['an unknown kind of auth', { auth: { bearer: 'x' } }, 'instances[0].auth.bearer'],
    ['a header name with a space', { auth: { header: { 'x y': 'z' } } }, 'instances[0].auth.header["x y"]'],
    ['a query name with a bracket', { auth: { query: { 'a[]': 'z' } } }, 'instances[0].auth.query["a[]"]'],
    ['a header that is no string', { auth: { header: { a: 5 } } }, 'instances[0].auth.header.a'],
    ['an empty header name', { auth: { header: { '': 'z' } } }, 'instances[0].auth.header[""]'],
    [
      'an unknown LLM option',
      { override: { llm_options: { top_p: 1 } } },
      'instances[0].override.llm_options.top_p',
    ],
    [
      'max_tokens 0',
      { override: { llm_options: { max_tokens: 0 } } },
      'instances[0].override.llm_options.max_tokens',
    ],
    [
      'an unknown protocol',
      { override: { request_body: { chat: {} } } },
      'instances[0].override.request_body.chat',
    ],
    ['a model that is no string', { options: { model: 5 } }, 'instances[0].options.model'],
    ['checks without active', { checks: {} }, 'instances[0].checks.active'],
    [
      'aws without its keys',
      { auth: { aws: { access_key_id: 'a' } } },
      'instances[0].auth.aws.secret_access_key',
    ],
    ['an empty region', { provider_conf: { region: '' } }, 'instances[0].provider_conf.region'],
  ])('%s is refused', (_what, fields, path) => {
    expect(pathsOf(inInstance(fields))).toEqual([path]);
  });
});

describe('the key of chash', () => {
  it.each([
    [{ hash_on: 'consumer' }],
    [{ key: 'remote_addr' }],
    [{ hash_on: 'vars', key: 'arg_user' }],
    [{ hash_on: 'header', key: 'X-User_1' }],
    [{ hash_on: 'cookie', key: 'session' }],
    [{ hash_on: 'vars_combinations', key: '$http_x-user$arg_tenant' }],
  ])('%j is complete', (balancer) => {
    expect(() => load(configOf({ balancer: { algorithm: 'chash', ...balancer } }))).not.toThrow();
  });

  it.each([
    [{}],
    [{ hash_on: 'vars' }],
    [{ hash_on: 'vars', key: '' }],
    [{ hash_on: 'header' }],
    [{ hash_on: 'header', key: 'x user' }],
    [{ hash_on: 'cookie', key: '' }],
    [{ hash_on: 'vars_combinations' }],
  ])('%j is not', (balancer) => {
    expect(pathsOf(configOf({ balancer: { algorithm: 'chash', ...balancer } }))).toEqual(['balancer.key']);
  });
});
