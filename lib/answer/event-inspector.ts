import { isObject, type JsonObject, parseObject } from '../protocols/json.ts';
import { findToken } from './find-token.ts';
import { CR, splitEvents } from './sse.ts';
import type { Tally } from './tally.ts';

/**
 * The end of every counter's name (`prompt_tokens`, `input_tokens`, …). The name of the report itself would not
 * do: once asked for usage, many servers send `"usage":null` in every event.
 */
const USAGE_TOKEN = '_tokens"';

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The chunk that `include_usage` adds: loops that index `choices[0]` break on it. */
function isUsageOnly(json: JsonObject): boolean {
  return isObject(json.usage) && Array.isArray(json.choices) && json.choices.length === 0;
}

/** Reads usage and tool calls out of whole events. Only those that hold a token of interest are parsed. */
export class EventInspector {
  readonly #tally: Tally;
  readonly #withholdsUsage: boolean;
  /** Whether the last event that was read is to be withheld. */
  withheldLast = false;

  /** @param withholdsUsage keeps the usage-only chunk from a client that did not ask for it */
  constructor(tally: Tally, withholdsUsage: boolean) {
    this.#tally = tally;
    this.#withholdsUsage = withholdsUsage;
  }

  /**
   * @param from where the first event starts: behind the byte-order mark, which passes whatever is withheld
   * @returns the events without a usage-only one that is to be withheld; `undefined` where none is left
   */
  read(events: Buffer, from: number): Buffer | undefined {
    this.withheldLast = false;
    const token = this.#findToken(events, from);
    if (this.#tally.keepsText) return this.#readEach(events, from);
    if (token === -1) return events;
    // Where only line feeds end lines, an event's bounds are found without looking at the others.
    return events.includes(CR) ? this.#readEach(events, from) : this.#readMarked(events, from, token);
  }

  #findToken(events: Buffer, from: number): number {
    const usage = events.indexOf(USAGE_TOKEN, from);
    if (this.#tally.hasToolCalls) return usage;
    const toolCall = findToken(events, this.#tally.toolCallToken, from);
    if (usage === -1 || toolCall === -1) return Math.max(usage, toolCall);
    return Math.min(usage, toolCall);
  }

  /** A fast server's events come many at a time: only those that hold a token are cut out and parsed. */
  #readMarked(events: Buffer, from: number, firstToken: number): Buffer | undefined {
    const withheld: Range[] = [];
    for (let token = firstToken; token !== -1; ) {
      const before = events.lastIndexOf('\n\n', token);
      const after = events.indexOf('\n\n', token);
      const start = before === -1 ? from : before + 2;
      const end = after === -1 ? events.length : after + 2;
      const [event] = splitEvents(events.toString('latin1', start, end));
      if (this.#readData(event?.data)) withheld.push({ start, end });
      token = this.#findToken(events, end);
    }
    return this.#without(events, withheld);
  }

  #readEach(events: Buffer, from: number): Buffer | undefined {
    // One character per byte, so that offsets in the text are offsets in the bytes.
    const withheld = splitEvents(events.toString('latin1', from)).filter(({ data }) => this.#readData(data));
    return this.#without(
      events,
      withheld.map(({ start, end }) => ({ start: from + start, end: from + end })),
    );
  }

  /** Reads one event's data, a character per byte; returns whether the event is to be withheld. */
  #readData(data: string | undefined): boolean {
    const json = data === undefined ? undefined : parseObject(Buffer.from(data, 'latin1').toString());
    if (json === undefined) return false;
    this.#tally.read(json);
    return this.#withholdsUsage && isUsageOnly(json);
  }

  #without(events: Buffer, withheld: readonly Range[]): Buffer | undefined {
    if (withheld.length === 0) return events;
    const kept: Buffer[] = [];
    let copied = 0;
    for (const { start, end } of withheld) {
      kept.push(events.subarray(copied, start));
      copied = end;
    }
    kept.push(events.subarray(copied));
    this.withheldLast = copied === events.length;
    const rest = Buffer.concat(kept);
    return rest.length === 0 ? undefined : rest;
  }
}
