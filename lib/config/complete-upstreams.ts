import { completeMulti } from './complete-config.ts';
import type { DefaultedInstanceConfig } from './generated/ai-proxy-multi-defaulted.ts';
import type { DefaultedAiProxyUpstreamConfig } from './generated/ai-proxy-upstream-defaulted.ts';
import type { LoadedUpstream } from './load-upstream.ts';
import type { LoadedConfig } from './loaded-config.ts';

/** The first node has its upstream's name, the second `name-2`, unless something else is called that. */
function takeName(id: string, index: number, taken: Set<string>): string {
  let name = id;
  for (let number = index + 1; index > 0 && taken.has(name); number++) name = `${id}-${number}`;
  taken.add(name);
  return name;
}

/** An instance for each node; those of the first upstream are tried first. */
function instancesOf(upstreams: readonly LoadedUpstream[]): DefaultedInstanceConfig[] {
  const taken = new Set(upstreams.map(({ id }) => id));
  return upstreams.flatMap(({ id, nodes }, place) =>
    nodes.map(({ endpoint, weight }, index) => ({
      name: takeName(id, index, taken),
      provider: 'openai-compatible' as const,
      priority: place === 0 ? 1 : 0,
      weight,
      auth: {},
      override: { endpoint, request_body_force_override: false },
    })),
  );
}

/** What seed 004's form of ai-proxy means: the first upstream, and where that fails, the second. */
export function completeUpstreams(
  config: DefaultedAiProxyUpstreamConfig,
  upstreams: readonly LoadedUpstream[],
): LoadedConfig {
  const { upstream_id: _1, upstream_fallback_id: _2, enable_upstream_host: _3, retry, ...gateway } = config;
  const multi = {
    ...gateway,
    instances: instancesOf(upstreams),
    balancer: { algorithm: 'roundrobin', hash_on: 'vars' },
    fallback_strategy: ['rate_limiting', 'http_429', 'http_5xx'],
    ...(retry !== undefined && { max_retries: retry }),
  } satisfies Parameters<typeof completeMulti>[0];
  return completeMulti(multi, false);
}
