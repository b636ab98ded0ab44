/** What a balancer needs to know of a target. */
export interface Weighted {
  readonly name: string;
  /** An integer above 0. */
  readonly weight: number;
}

/** How a target is doing. The object stays the same and is read at each pick. */
export interface TargetMetrics {
  /** Requests under way. */
  readonly inFlight: number;
  /** `undefined` until something was measured. */
  readonly averageLatencyMs: number | undefined;
  /** Of input and output together, in whatever unit all targets share. `undefined` where it is not known. */
  readonly price: number | undefined;
}

/** A target for balancers that go by more than its weight. */
export interface Measured extends Weighted {
  readonly metrics: TargetMetrics;
}

/** Picks one of the targets it was made for. Knows nothing of HTTP. */
export interface Balancer<Target> {
  /**
   * @param key what the request is hashed on; balancers that do not hash ignore it
   * @param isOut whether a target must not be picked this time
   * @returns `undefined` when every target is out
   */
  pick(key: string, isOut: (target: Target) => boolean): Target | undefined;
}

export type MakeBalancer = <Target extends Measured>(targets: readonly Target[]) => Balancer<Target>;
