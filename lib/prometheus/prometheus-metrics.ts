import type { Host } from '../host.ts';
import { type FinishedRequest, readFinish } from './finished-request.ts';
import { type Metrics, metricsOf } from './metrics.ts';
import { makeModelLabel } from './model-label.ts';
import type { PrometheusClient, PrometheusRegistry } from './prometheus-client.ts';

export interface PrometheusOptions<Registry> {
  /** The value of the label `gateway`, for an application with several. Default: ''. */
  readonly gateway?: string;
  /** Where the metrics are registered. Default: the client's own registry. */
  readonly registry?: Registry;
  /** What all names begin with. Default: `apisix_`, as Apache APISIX has it. */
  readonly prefix?: string;
  /** Of `llm_latency`, in milliseconds, rising. Default: APISIX's, 1 to 60,000. */
  readonly latencyBucketsMs?: readonly number[];
  /** Of `llm_prompt_tokens_dist` and `llm_completion_tokens_dist`, rising. Default: APISIX's, 1 to 1,000,000. */
  readonly tokenBuckets?: readonly number[];
}

/** Members of a `Host`. */
export type PrometheusHooks = Required<Pick<Host, 'onAttempt' | 'onFinish' | 'onHealth'>>;

function statusClass(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}

type RequestLabels = Readonly<Record<string, string>>;

/** Like APISIX, of what was served only: an error's time would make the instances look fast. */
function observeLatency({ latency }: Metrics, request: FinishedRequest, labels: RequestLabels): void {
  const status = request.tries.at(-1)?.status;
  if (status === undefined || status >= 400) return;
  if (request.requestType === 'ai_stream' && request.timeToFirstTokenMs > 0) {
    latency.observe({ ...labels, type: 'ttft' }, request.timeToFirstTokenMs);
  }
  // Half an answer took as long as whoever broke it off wanted it to.
  if (request.outcome === 'complete') latency.observe({ ...labels, type: 'total' }, request.responseTimeMs);
}

function countTokens(metrics: Metrics, request: FinishedRequest, labels: RequestLabels): void {
  if (!request.hasUsage) return;
  metrics.promptTokens.inc(labels, request.promptTokens);
  metrics.completionTokens.inc(labels, request.completionTokens);
  metrics.promptTokensDistribution.observe(labels, request.promptTokens);
  metrics.completionTokensDistribution.observe(labels, request.completionTokens);
}

function countFallbacks({ fallbacks }: Metrics, gateway: string, { tries }: FinishedRequest): void {
  for (const [index, { instance }] of tries.entries()) {
    const next = tries[index + 1];
    // The same one again is a retry.
    if (next === undefined || next.instance === instance) continue;
    fallbacks.inc({ gateway, instance, direction: 'out' });
    fallbacks.inc({ gateway, instance: next.instance, direction: 'in' });
  }
}

/**
 * Registers metrics with your own prom-client and returns the hooks that feed them, to be spread into a gateway's
 * `host`. A second call on the same registry, for another gateway, shares the metrics. No label holds what a client
 * can write freely: `llm_model` is the model of an instance's configuration, '' where the client chooses.
 *
 * @param client the package prom-client, as you have imported it
 * @throws what prom-client throws on an invalid name or one that is taken by another metric
 *
 * @example
 * ```ts
 * import client from 'prom-client';
 *
 * app.use('/ai', aiProxyMulti(config, { ...prometheusMetrics(client, { gateway: 'chat' }) }));
 * app.get('/metrics', async (req, res) => res.type(client.register.contentType).send(await client.register.metrics()));
 * ```
 */
export function prometheusMetrics<Registry extends PrometheusRegistry>(
  client: PrometheusClient<Registry>,
  options: PrometheusOptions<Registry> = {},
): PrometheusHooks {
  const { gateway = '', registry = client.register, prefix = 'apisix_' } = options;
  const { latencyBucketsMs, tokenBuckets } = options;
  const metrics = metricsOf(client, registry, { prefix, latencyBucketsMs, tokenBuckets });
  const modelLabel = makeModelLabel();

  return {
    onAttempt({ instance, status, error = '' }) {
      const answered = status === undefined ? '' : statusClass(status);
      metrics.attempts.inc({ gateway, instance, status: answered, error });
    },
    onFinish(finish) {
      const request = readFinish(finish);
      const { instance, provider, requestType, model, requestedModel, outcome } = request;
      const labels = {
        gateway,
        instance,
        provider,
        request_type: requestType,
        llm_model: modelLabel({ instance, model, requested: requestedModel }),
      };
      metrics.requests.inc({ ...labels, outcome });
      countFallbacks(metrics, gateway, request);
      countTokens(metrics, request, labels);
      observeLatency(metrics, request, labels);
    },
    onHealth({ instance, state }) {
      metrics.healthChanges.inc({ gateway, instance, state });
      if (state === 'unchecked') metrics.healthy.remove({ gateway, instance });
      else metrics.healthy.set({ gateway, instance }, state === 'healthy' ? 1 : 0);
    },
  };
}
