type Labels = Readonly<Record<string, string>>;

export interface PrometheusCounter {
  inc(labels: Labels, value?: number): void;
}

export interface PrometheusGauge {
  set(labels: Labels, value: number): void;
  remove(labels: Labels): void;
}

export interface PrometheusHistogram {
  observe(labels: Labels, value: number): void;
}

/** What is needed of a registry: to find out whether a metric is still in it. */
export interface PrometheusRegistry {
  getSingleMetric(name: string): unknown;
}

interface MetricConfiguration<Registry> {
  name: string;
  help: string;
  labelNames: string[];
  registers: Registry[];
}

interface HistogramConfiguration<Registry> extends MetricConfiguration<Registry> {
  buckets: number[];
}

/** What is needed of the package prom-client: pass it as you have imported it. */
export interface PrometheusClient<Registry extends PrometheusRegistry> {
  /** Where metrics are registered unless the options name another registry. */
  readonly register: Registry;
  readonly Counter: new (configuration: MetricConfiguration<Registry>) => PrometheusCounter;
  readonly Gauge: new (configuration: MetricConfiguration<Registry>) => PrometheusGauge;
  readonly Histogram: new (configuration: HistogramConfiguration<Registry>) => PrometheusHistogram;
}
