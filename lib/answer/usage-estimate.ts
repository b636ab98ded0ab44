import { ChunkList } from '../chunk-list.ts';
import { isObject, type JsonObject, parseObject } from '../protocols/json.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { Consumption } from '../quota.ts';
import { type JsonDocument, readSmallMember } from '../request/json-document.ts';
import { decodeBytes } from './decode-bytes.ts';
import { BYTES_PER_TOKEN, promptTokens } from './prompt-tokens.ts';
import { splitEvents } from './sse.ts';

/** How much of an answer is kept to tell its text from the framing around it. */
const SAMPLE_BYTES = 8 * 1024;

/** That much of an answer that is encoded may stand for no more than this. */
const DECODING = { maxBytes: 16 * 1024 * 1024, mayEndEarly: true };

/** A body up to this size may stay in memory for as long as its answer takes. */
const KEPT_BYTES = 16 * 1024;

/** Tokens of generated text in a plain answer, or in one event. */
function textTokens(json: JsonObject, protocol: Protocol): number {
  return Buffer.byteLength(protocol.text(json)) / BYTES_PER_TOKEN;
}

function plainTokens(sample: string, protocol: Protocol): number {
  const json = parseObject(sample);
  return json === undefined ? 0 : textTokens(json, protocol);
}

/** Tool calls and thoughts have no text here, but come as about a token an event. */
function streamTokens(sample: string, protocol: Protocol): number {
  const events = splitEvents(sample).map(({ data }) => parseObject(data ?? ''));
  return events.filter(isObject).reduce((sum, json) => sum + (textTokens(json, protocol) || 1), 0);
}

function consumption(promptTokens: number, completionTokens: number): Consumption {
  const totalTokens = promptTokens + completionTokens;
  const rawUsage: JsonObject = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
    input_tokens: promptTokens,
    output_tokens: completionTokens,
  };
  const usage = {
    promptTokens,
    completionTokens,
    totalTokens,
    cacheReadInputTokens: 0,
    cacheCreationInputTokens: 0,
    reasoningTokens: 0,
  };
  return { source: 'estimated', usage, rawUsage };
}

/**
 * What a request has roughly used up, by lengths alone, for answers that end before the LLM has said it. Of the
 * answer only its start is kept, by reference: how much of it is text holds for the rest as well.
 */
export class UsageEstimate {
  #prompt: JsonDocument | undefined;
  #promptTokens: number | undefined;
  #isBackground = false;
  #coding: string | undefined;
  #sample: ChunkList | undefined;

  /** Has to be called before the document is let go. */
  notePrompt(document: JsonDocument | undefined, protocol: Protocol): void {
    if (document === undefined) return;
    this.#isBackground =
      protocol.name === 'openai-responses' && readSmallMember(document, 'background') === true;
    // Most LLMs report what they use, so a small body is rather kept than looked at for nothing.
    if (document.bytes.length <= KEPT_BYTES) this.#prompt = document;
    else this.#promptTokens = promptTokens(document, protocol);
  }

  /** How the answer that is sampled is encoded, in lower case; `undefined` where it is not. */
  noteCoding(coding: string | undefined): void {
    this.#coding = coding;
  }

  /** Takes the answer as it passes, encoded or not. */
  sample(chunk: Buffer): void {
    this.#sample ??= new ChunkList();
    if (this.#sample.bytes < SAMPLE_BYTES) this.#sample.push(chunk);
  }

  /** @param bytes the length of the answer so far, as it was sent */
  consumption(bytes: number, protocol: Protocol, isStream: boolean): Consumption {
    const tokens = this.#prompt === undefined ? this.#promptTokens : promptTokens(this.#prompt, protocol);
    return consumption(tokens ?? 0, this.#completionTokens(bytes, protocol, isStream));
  }

  #completionTokens(bytes: number, protocol: Protocol, isStream: boolean): number {
    const sample = this.#sample?.take().subarray(0, SAMPLE_BYTES);
    if (sample === undefined || sample.length === 0) return 0;
    const decoded = this.#decode(sample);
    const decodedBytes = bytes * (decoded.length / sample.length);
    const start = decoded.subarray(0, SAMPLE_BYTES);
    const text = start.toString();
    const tokens = isStream ? streamTokens(text, protocol) : plainTokens(text, protocol);
    if (tokens > 0) return Math.ceil((tokens * decodedBytes) / start.length);
    return this.#generatesNothing(protocol, isStream) ? 0 : Math.ceil(decodedBytes / BYTES_PER_TOKEN);
  }

  /** Decoded here and at once, all that has come counts, though the connection has just broken. */
  #decode(sample: Buffer): Buffer {
    if (this.#coding === undefined) return sample;
    return decodeBytes(sample, this.#coding, DECODING) ?? sample;
  }

  /** The Responses API answers at once for what it does in the background, with the request and no text yet. */
  #generatesNothing({ name }: Protocol, isStream: boolean): boolean {
    return name === 'openai-embeddings' || (this.#isBackground && !isStream);
  }
}
