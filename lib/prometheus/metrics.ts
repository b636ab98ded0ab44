import type {
  PrometheusClient,
  PrometheusCounter,
  PrometheusGauge,
  PrometheusHistogram,
  PrometheusRegistry,
} from './prometheus-client.ts';

/** APISIX's: its dashboards and alerts find the same series here. */
const LATENCY_BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const TOKEN_BUCKETS = [
  1, 10, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
];

/** Of an ended request. Whatever a client can write freely is not among them: each value would be a series. */
const REQUEST_LABELS = ['gateway', 'instance', 'provider', 'request_type', 'llm_model'];

export interface MetricOptions {
  readonly prefix: string;
  readonly latencyBucketsMs?: readonly number[] | undefined;
  readonly tokenBuckets?: readonly number[] | undefined;
}

/** The first five have APISIX's names, types and units. */
export interface Metrics {
  readonly latency: PrometheusHistogram;
  readonly promptTokens: PrometheusCounter;
  readonly completionTokens: PrometheusCounter;
  readonly promptTokensDistribution: PrometheusHistogram;
  readonly completionTokensDistribution: PrometheusHistogram;
  readonly requests: PrometheusCounter;
  readonly attempts: PrometheusCounter;
  readonly fallbacks: PrometheusCounter;
  readonly healthy: PrometheusGauge;
  readonly healthChanges: PrometheusCounter;
}

function makeMetrics<Registry extends PrometheusRegistry>(
  client: PrometheusClient<Registry>,
  registry: Registry,
  { prefix, latencyBucketsMs = LATENCY_BUCKETS_MS, tokenBuckets = TOKEN_BUCKETS }: MetricOptions,
): Metrics {
  const described = (name: string, help: string, labelNames: readonly string[]) => ({
    name: `${prefix}${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  });
  const counter = (...description: Parameters<typeof described>): PrometheusCounter =>
    new client.Counter(described(...description));
  const histogram = (
    buckets: readonly number[],
    ...description: Parameters<typeof described>
  ): PrometheusHistogram => new client.Histogram({ ...described(...description), buckets: [...buckets] });

  return {
    latency: histogram(
      latencyBucketsMs,
      'llm_latency',
      'Milliseconds of complete answers: type "total" until their end, "ttft" until the first token of a stream',
      ['type', ...REQUEST_LABELS],
    ),
    promptTokens: counter('llm_prompt_tokens', 'Prompt tokens consumed', REQUEST_LABELS),
    completionTokens: counter('llm_completion_tokens', 'Completion tokens consumed', REQUEST_LABELS),
    promptTokensDistribution: histogram(
      tokenBuckets,
      'llm_prompt_tokens_dist',
      'Prompt tokens of a request',
      REQUEST_LABELS,
    ),
    completionTokensDistribution: histogram(
      tokenBuckets,
      'llm_completion_tokens_dist',
      'Completion tokens of a request',
      REQUEST_LABELS,
    ),
    requests: counter('llm_requests_total', 'Ended requests, by how they ended', [
      ...REQUEST_LABELS,
      'outcome',
    ]),
    attempts: counter(
      'llm_attempts_total',
      'Tries of an instance, by the class of its answer or what went wrong',
      ['gateway', 'instance', 'status', 'error'],
    ),
    fallbacks: counter(
      'llm_fallbacks_total',
      'Requests that left an instance for the next one, or came from one',
      ['gateway', 'instance', 'direction'],
    ),
    healthy: new client.Gauge(
      described('llm_instance_healthy', '1 for an instance that is healthy, 0 for one that is not', [
        'gateway',
        'instance',
      ]),
    ),
    healthChanges: counter('llm_health_changes_total', 'Changes of health, by the state changed to', [
      'gateway',
      'instance',
      'state',
    ]),
  };
}

/** What has been made for a registry, by prefix. */
const made = new WeakMap<object, Map<string, Metrics>>();

/**
 * The metrics of a registry: those made for it before where they are still in it. The buckets of the first call hold.
 *
 * @throws what prom-client throws on a name that is taken by another metric
 */
export function metricsOf<Registry extends PrometheusRegistry>(
  client: PrometheusClient<Registry>,
  registry: Registry,
  options: MetricOptions,
): Metrics {
  const byPrefix = made.get(registry) ?? new Map<string, Metrics>();
  made.set(registry, byPrefix);
  const { prefix } = options;
  const before = byPrefix.get(prefix);
  // A registry that has been cleared would show nothing of metrics that go on counting.
  if (before !== undefined && registry.getSingleMetric(`${prefix}llm_latency`) === before.latency)
    return before;
  const metrics = makeMetrics(client, registry, options);
  byPrefix.set(prefix, metrics);
  return metrics;
}
