/** What a balancer needs to know of a target. */
export interface Weighted {
  readonly name: string;
  /** An integer above 0. */
  readonly weight: number;
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

export type MakeBalancer = <Target extends Weighted>(targets: readonly Target[]) => Balancer<Target>;
