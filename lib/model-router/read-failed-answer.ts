import { decodedBody } from '../answer/decode-bytes.ts';
import { ChunkList } from '../chunk-list.ts';
import { errorOfEvent } from '../protocols/error-events.ts';
import { type JsonObject, parseObject } from '../protocols/json.ts';
import type { AnswerSink, Attempt } from '../upstream/attempt.ts';

const MAX_BYTES = 64 * 1024;

/** How long a failed answer may take to end. */
const DEADLINE_MS = 1000;

/** Gemini's endpoint for OpenAI's protocol answers with a list of one. */
function parseError(text: string): JsonObject | undefined {
  const inner = text.trim();
  return parseObject(inner.startsWith('[') && inner.endsWith(']') ? inner.slice(1, -1) : inner);
}

/** Gathers the little that an error says. What does not end in time, or is too long, is left unread. */
class FailedAnswer implements AnswerSink {
  readonly #attempt: Attempt;
  readonly #resolve: (json: JsonObject | undefined) => void;
  readonly #chunks = new ChunkList();
  readonly #timer = setTimeout(() => this.#giveUp(), DEADLINE_MS).unref();

  constructor(attempt: Attempt, resolve: (json: JsonObject | undefined) => void) {
    this.#attempt = attempt;
    this.#resolve = resolve;
  }

  onData(chunk: Buffer): void {
    this.#chunks.push(chunk);
    if (this.#chunks.bytes > MAX_BYTES) this.#giveUp();
  }

  onEnd(): void {
    this.#end(parseError(decodedBody(this.#attempt.head, this.#chunks.take(), MAX_BYTES).toString()));
  }

  onFailure(): void {
    this.#end(undefined);
  }

  #giveUp(): void {
    this.#attempt.abort();
    this.#end(undefined);
  }

  #end(json: JsonObject | undefined): void {
    clearTimeout(this.#timer);
    this.#resolve(json);
  }
}

/** The error in a failed answer as OpenAI, Anthropic, Gemini and Ollama write it; `undefined` where it says nothing of use. */
export async function readFailedAnswer(attempt: Attempt): Promise<JsonObject | undefined> {
  const json = await new Promise<JsonObject | undefined>((resolve) => {
    attempt.pipeTo(new FailedAnswer(attempt, resolve));
  });
  return json && (errorOfEvent(json) ?? json);
}
