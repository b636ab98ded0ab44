import { decodeBytes } from '../answer/decode-bytes.ts';
import { isJson } from '../answer/make-reader.ts';
import { replaceModel } from '../answer/replace-model.ts';
import { contentCoding } from '../content-coding.ts';
import type { WholeAnswer, WholeReader } from '../plan.ts';
import { statusOfErrorEvent } from '../protocols/error-events.ts';
import { parseObject } from '../protocols/json.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { rewrittenHead } from '../upstream/rewritten-head.ts';

/** An upstream encodes although it has not been asked to. */
const DECODING = { maxBytes: 16 * 1024 * 1024, mayEndEarly: false };

function decode({ head: { headers }, bytes }: WholeAnswer): Buffer | undefined {
  const coding = contentCoding(headers);
  return coding === undefined ? bytes : decodeBytes(bytes, coding, DECODING);
}

/** An error is not longer. */
const MAX_ERROR_BYTES = 64 * 1024;

/** The status of an error that comes as a 200; `undefined` for an answer. A failed response of OpenAI's is an answer. */
function errorStatusOf(bytes: Buffer): number | undefined {
  if (bytes.length > MAX_ERROR_BYTES || !bytes.includes('"error"')) return undefined;
  const json = parseObject(bytes.toString());
  return json === undefined || json.object === 'response' ? undefined : statusOfErrorEvent(json);
}

/** Gives the model in plain answers the name that the caller has asked for. */
export function renamedAnswers(protocol: Protocol, name: string): WholeReader {
  const isGeneration = protocol.name !== 'passthrough';
  return {
    // What is merely passed on may be speech or an image.
    takes: ({ status, headers }) =>
      status >= 200 && status < 300 && (isGeneration || (status !== 204 && isJson(headers))),
    read(answer) {
      const decoded = decode(answer);
      const status = decoded === undefined || !isGeneration ? undefined : errorStatusOf(decoded);
      if (decoded !== undefined && status !== undefined) {
        return { head: { ...rewrittenHead(answer.head), status }, bytes: decoded };
      }
      const bytes = decoded === undefined ? undefined : replaceModel(decoded, protocol, name);
      if (bytes === undefined) return isGeneration ? undefined : answer;
      return bytes === answer.bytes ? answer : { head: rewrittenHead(answer.head), bytes };
    },
  };
}
