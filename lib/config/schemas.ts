import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import type { DefaultedAiProxyConfig } from './generated/ai-proxy-defaulted.ts';
import type { DefaultedAiProxyMultiConfig } from './generated/ai-proxy-multi-defaulted.ts';
import type { DefaultedEarlyAiProxyMultiConfig } from './generated/ai-proxy-multi-early-defaulted.ts';
import type { DefaultedAiProxyUpstreamConfig } from './generated/ai-proxy-upstream-defaulted.ts';
import type {
  DefaultedAiRateLimitingConfig,
  DefaultedRedisClusterPolicy,
  DefaultedRedisPolicy,
  DefaultedRedisSentinelPolicy,
} from './generated/ai-rate-limiting-defaulted.ts';
import type { DefaultedApisixRouteConfig } from './generated/apisix-route-defaulted.ts';
import type { DefaultedApisixRouterConfig } from './generated/apisix-router-defaulted.ts';
import type { DefaultedApisixUpstreamConfig } from './generated/apisix-upstream-defaulted.ts';
import type { DefaultedCallerKeyConfig } from './generated/caller-key-defaulted.ts';
import type { DefaultedConsumerConfig } from './generated/consumer-defaulted.ts';
import type { DefaultedKeyAuthConfig } from './generated/key-auth-defaulted.ts';
import type { DefaultedModelConfig } from './generated/model-defaulted.ts';
import type { DefaultedModelRouterConfig } from './generated/model-router-defaulted.ts';
import type { DefaultedProviderKeyConfig } from './generated/provider-key-defaulted.ts';
import { keepDefinitions, type Schema } from './schema.ts';

/** One form of a configuration: its schema, and what validates it and fills in its defaults in place. */
export interface ConfigForm<Config> {
  readonly schema: Schema;
  readonly validate: ValidateFunction<Config>;
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** A plugin's configuration within another one has a loader of its own, which says what is wrong in it. */
function withoutForeignParts(_name: string, part: unknown): unknown {
  const isReference = typeof part === 'object' && part !== null && '$ref' in part;
  return isReference && typeof part.$ref === 'string' && !part.$ref.includes('#') ? {} : part;
}

/** Import attributes would be shorter, but Node 20 prints a warning on them. */
function readSchema(name: string): Schema {
  const text = readFileSync(new URL(`../../schema/${name}.json`, import.meta.url), 'utf8');
  const schema: Schema = JSON.parse(text, withoutForeignParts);
  keepDefinitions(schema);
  return schema;
}

const validator = lazily(() =>
  new Ajv({ allErrors: true, useDefaults: true, verbose: true }).addSchema(readSchema('definitions')),
);

/** Read and compiled by the first call: most processes that import the package mount one kind of configuration. */
function form<Config>(name: string): () => ConfigForm<Config> {
  return lazily(() => {
    const schema = readSchema(name);
    return { schema, validate: validator().compile<Config>(schema) };
  });
}

/** The forms of every configuration, by the files in `schema/`. */
export const forms = {
  multi: form<DefaultedAiProxyMultiConfig>('ai-proxy-multi'),
  early: form<DefaultedEarlyAiProxyMultiConfig>('ai-proxy-multi-early'),
  single: form<DefaultedAiProxyConfig>('ai-proxy'),
  singleUpstream: form<DefaultedAiProxyUpstreamConfig>('ai-proxy-upstream'),
  rateLimiting: form<DefaultedAiRateLimitingConfig>('ai-rate-limiting'),
  keyAuth: form<DefaultedKeyAuthConfig>('key-auth'),
  consumer: form<DefaultedConsumerConfig>('consumer'),
  upstream: form<DefaultedApisixUpstreamConfig>('apisix-upstream'),
  route: form<DefaultedApisixRouteConfig>('apisix-route'),
  router: form<DefaultedApisixRouterConfig>('apisix-router'),
  model: form<DefaultedModelConfig>('model'),
  providerKey: form<DefaultedProviderKeyConfig>('provider-key'),
  callerKey: form<DefaultedCallerKeyConfig>('caller-key'),
  modelRouter: form<DefaultedModelRouterConfig>('model-router'),
};

/** What a valid ai-rate-limiting configuration also is once its policy is known, which no type of it can say. */
function policy<Config>(title: string): (config: DefaultedAiRateLimitingConfig) => Config {
  const isPolicy = lazily(() =>
    validator().compile<Config>({ $ref: `${forms.rateLimiting().schema.$id}#/definitions/${title}` }),
  );
  return (config) => {
    const candidate: unknown = config;
    if (isPolicy()(candidate)) return candidate;
    throw new TypeError(`The schema asks for no ${title} where the policy "${config.policy}" needs one`);
  };
}

/** The fields of each policy. */
export const policies = {
  redis: policy<DefaultedRedisPolicy>('RedisPolicy'),
  redisCluster: policy<DefaultedRedisClusterPolicy>('RedisClusterPolicy'),
  redisSentinel: policy<DefaultedRedisSentinelPolicy>('RedisSentinelPolicy'),
};
