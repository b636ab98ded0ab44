import { createHash } from 'node:crypto';
import { readPath } from '../read-path.ts';
import { type Endpoint, json } from './answer.ts';
import { noModel, openaiErrorEvent, openaiRefusal, requestedModel } from './openai-errors.ts';
import { countTokens } from './reply.ts';

/** https://platform.openai.com/docs/api-reference/embeddings */
export const openaiEmbeddings: Endpoint = {
  refuse: openaiRefusal,
  errorEvent: openaiErrorEvent,
  answer(body, url) {
    const model = requestedModel(readPath(body, 'model'), url);
    if (model === undefined) return noModel;
    const inputs = readInputs(readPath(body, 'input'));
    if (inputs.length === 0) return openaiRefusal(400, "Missing required parameter: 'input'.", 'input');
    const asked = readPath(body, 'dimensions');
    const dimensions = typeof asked === 'number' ? asked : model.includes('large') ? 3072 : 1536;
    const isBase64 = readPath(body, 'encoding_format') === 'base64';
    const tokens = inputs.reduce((sum, input) => sum + input.tokens, 0);
    return json(200, {
      object: 'list',
      data: inputs.map((input, index) => {
        const vector = embed(input.text, dimensions);
        return { object: 'embedding', index, embedding: isBase64 ? toBase64(vector) : Array.from(vector) };
      }),
      model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  },
};

interface Input {
  text: string;
  tokens: number;
}

/** One text, one list of token numbers, or a list of either. */
function readInputs(input: unknown): Input[] {
  if (typeof input === 'string') return [{ text: input, tokens: countTokens(input) }];
  if (!Array.isArray(input)) return [];
  if (typeof input[0] === 'number') return [{ text: input.join(' '), tokens: input.length }];
  return input.flatMap(readInputs);
}

/** A vector of length 1 that depends on the text alone: equal texts are equal, others are unrelated. */
function embed(text: string, dimensions: number): Float32Array {
  let state = createHash('sha256').update(text).digest().readUInt32LE(0);
  const vector = new Float32Array(dimensions).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** The official SDK asks for this form unless told otherwise: little-endian floats. */
function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => {
    bytes.writeFloatLE(value, index * 4);
  });
  return bytes.toString('base64');
}
