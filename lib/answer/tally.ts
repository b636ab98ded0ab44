import { isObject, type JsonObject, parseObject } from '../protocols/json.ts';
import type { Protocol, Usage } from '../protocols/protocol.ts';

/** Text kept for `logging.payloads`, in characters. */
const MAX_TEXT = 1024 * 1024;

/** What an answer said about itself, gathered while it passes. */
export class Tally {
  /** `undefined` where the LLM reported none. */
  usage: Usage | undefined;
  /** The usage object as the LLM wrote it; of several, the later values that are neither 0 nor null. */
  rawUsage: JsonObject | undefined;
  hasToolCalls = false;
  text = '';
  readonly #protocol: Protocol;
  readonly keepsText: boolean;

  constructor(protocol: Protocol, keepsText: boolean) {
    this.#protocol = protocol;
    this.keepsText = keepsText;
  }

  get toolCallToken(): string {
    return this.#protocol.toolCallToken;
  }

  /** Reads a plain answer, or the data of one event. */
  read(json: JsonObject): void {
    const raw = this.#protocol.rawUsage(json);
    if (raw !== undefined) this.#addUsage(raw);
    this.hasToolCalls ||= this.#protocol.hasToolCall(json);
    if (this.keepsText && this.text.length < MAX_TEXT) {
      this.text += this.#protocol.text(json).slice(0, MAX_TEXT - this.text.length);
    }
  }

  /** Reads what stands between the braces of `text`, if it is a JSON object at all. */
  readText(text: string): void {
    const json = parseObject(text);
    if (json !== undefined) this.read(json);
  }

  /** Anthropic reports the prompt at the start of a stream and the answer's length at its end. */
  #addUsage(raw: JsonObject): void {
    const merged: Record<string, unknown> = { ...this.rawUsage };
    for (const [key, value] of Object.entries(raw)) {
      if (saysSomething(value) || !isSet(merged[key])) merged[key] = value;
    }
    this.rawUsage = merged;
    this.usage = this.#protocol.readUsage(merged);
  }
}

function saysSomething(value: unknown): boolean {
  return value !== 0 && value !== null;
}

function isSet(value: unknown): boolean {
  return typeof value === 'number' || isObject(value);
}
