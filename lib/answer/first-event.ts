import { EventBoundaries, splitEvents } from './sse.ts';

/** Waits for the first event of a stream that has data; comments before it are no events. */
export class FirstEvent {
  readonly #boundaries = new EventBoundaries();
  /** What has not been looked at yet: the event that is not finished. */
  #unfinished: Buffer[] = [];

  /** @returns the event's data once it is complete; not to be called after that */
  push(chunk: Buffer): string | undefined {
    const end = this.#boundaries.follow(chunk);
    if (end === 0) {
      this.#unfinished.push(chunk);
      return undefined;
    }
    const complete = Buffer.concat([...this.#unfinished, chunk.subarray(0, end)]).toString();
    this.#unfinished = [chunk.subarray(end)];
    return splitEvents(complete).find((event) => event.data !== undefined)?.data;
  }
}
