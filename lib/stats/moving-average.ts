/** How much a new sample counts against all before it. */
const ALPHA = 0.3;

/** An exponentially weighted moving average: the last few samples make most of it. */
export class MovingAverage {
  #value: number | undefined;

  /** `undefined` before the first sample. */
  get value(): number | undefined {
    return this.#value;
  }

  add(sample: number): void {
    this.#value = this.#value === undefined ? sample : ALPHA * sample + (1 - ALPHA) * this.#value;
  }
}
