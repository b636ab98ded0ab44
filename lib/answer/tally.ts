import { isObject, type JsonObject, parseObject } from '../protocols/json.ts';
import type { Protocol, Usage } from '../protocols/protocol.ts';

/** Text kept for `logging.payloads`, in characters. */
const MAX_TEXT = 1024 * 1024;

/** No report has a quarter of these: an upstream that has ever new ones must not make it grow. */
const MAX_USAGE_FIELDS = 100;

/** What an answer said about itself, gathered while it passes. */
export class Tally {
  /** `undefined` where the LLM reported none. */
  usage: Usage | undefined;
  #rawUsage: Record<string, unknown> | undefined;
  hasToolCalls = false;
  text = '';
  readonly #protocol: Protocol;
  #usageFields = 0;
  readonly keepsText: boolean;

  constructor(protocol: Protocol, keepsText: boolean) {
    this.#protocol = protocol;
    this.keepsText = keepsText;
  }

  /**
   * The usage object as the LLM wrote it, its first 100 fields; of several objects, the later values that are neither 0
   * nor null. Without a prototype.
   */
  get rawUsage(): JsonObject | undefined {
    return this.#rawUsage;
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
    const merged: Record<string, unknown> = this.#rawUsage ?? Object.create(null);
    let looked = 0;
    for (const key in raw) {
      if (++looked > MAX_USAGE_FIELDS) break;
      const value = raw[key];
      if (key in merged) {
        if (saysSomething(value) || !isSet(merged[key])) merged[key] = value;
      } else if (this.#usageFields < MAX_USAGE_FIELDS) {
        merged[key] = value;
        this.#usageFields++;
      }
    }
    this.#rawUsage = merged;
    this.usage = this.#protocol.readUsage(merged);
  }
}

function saysSomething(value: unknown): boolean {
  return value !== 0 && value !== null;
}

function isSet(value: unknown): boolean {
  return typeof value === 'number' || isObject(value);
}
