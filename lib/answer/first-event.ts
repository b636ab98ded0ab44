import { EventBoundaries, splitEvents } from './sse.ts';

/** A stream may begin with one, which is not part of its first line (WHATWG HTML §9.2.5). */
const BYTE_ORDER_MARK = '\ufeff';

/** Waits for the first event of a stream that has data; comments before it are no events. */
export class FirstEvent {
  readonly #boundaries = new EventBoundaries();
  /** What has not been looked at yet: the event that is not finished. */
  #unfinished: Buffer[] = [];
  #atStart = true;

  /** @returns the data of an event that lacks its blank line: the stream's end completes it */
  end(): string | undefined {
    return this.push(Buffer.from('\n\n'));
  }

  /** @returns the event's data once it is complete; not to be called after that */
  push(chunk: Buffer): string | undefined {
    const end = this.#boundaries.follow(chunk);
    if (end === 0) {
      this.#unfinished.push(chunk);
      return undefined;
    }
    const complete = Buffer.concat([...this.#unfinished, chunk.subarray(0, end)]).toString();
    const hasMark = this.#atStart && complete.startsWith(BYTE_ORDER_MARK);
    this.#atStart = false;
    this.#unfinished = [chunk.subarray(end)];
    return splitEvents(hasMark ? complete.slice(BYTE_ORDER_MARK.length) : complete).find(
      (event) => event.data !== undefined,
    )?.data;
  }
}
