import { type ChunkedBody, makeChunkedBody } from './chunked-body.ts';

/** Node's own limit for the head of an answer. */
const MAX_HEAD_BYTES = 16 * 1024;

/** A longer answer costs the connection: a probe is no download. */
const MAX_BODY_BYTES = 64 * 1024;

const BEGINNING = 'HTTP/1.';

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?(?:\r\n|$)/;

/**
 * Reads the answer to a probe: its status, and where it ends, so that the connection can be used again. Node's own
 * client does all of this and much that no probe needs; it would take two thirds of a probe's time.
 */
export interface AnswerReader {
  /** `undefined` until the head is complete. */
  readonly status: number | undefined;
  /**
   * `whole`: the connection can take another request. `last`: the status is known, but the connection cannot.
   * `invalid`: this is not HTTP/1.
   */
  readonly phase: 'head' | 'body' | 'whole' | 'last' | 'invalid';
  readonly isUntouched: boolean;
  push(bytes: Buffer): void;
}

/** `last`: up to the connection's end, or in a way that leaves the end in doubt. */
type Framing = { readonly length: number } | { readonly chunks: ChunkedBody } | 'last';

function valuesOf(head: string, name: string): string[] {
  const lines = head.matchAll(new RegExp(`\\r\\n${name}:[ \\t]*([^\\r\\n]*)`, 'gi'));
  return Array.from(lines, ([, value = '']) => value.trim().toLowerCase());
}

function framingOf(head: string, status: number, minorVersion: string, method: string): Framing {
  const connection = valuesOf(head, 'connection');
  // After an upgrade, and through CONNECT's tunnel, no HTTP follows.
  const isTunnel = status === 101 || method === 'CONNECT';
  if (isTunnel || minorVersion === '0' || connection.some((value) => value.includes('close'))) return 'last';
  if (method === 'HEAD' || status === 204 || status === 304) return { length: 0 };
  const encodings = valuesOf(head, 'transfer-encoding');
  const lengths = valuesOf(head, 'content-length');
  if (encodings.length + lengths.length !== 1) return 'last';
  if (encodings[0] === 'chunked') return { chunks: makeChunkedBody() };
  return /^\d{1,9}$/.test(lengths[0] ?? '') ? { length: Number(lengths[0]) } : 'last';
}

/** @param method of the request that is answered */
export function makeAnswerReader(method: string): AnswerReader {
  let phase: AnswerReader['phase'] = 'head';
  let status: number | undefined;
  let isUntouched = true;
  let pending = '';
  let framing: Framing = 'last';
  let bodyBytes = 0;

  function readBody(text: string): AnswerReader['phase'] {
    bodyBytes += text.length;
    if (framing === 'last' || bodyBytes > MAX_BODY_BYTES) return 'last';
    if ('length' in framing) {
      if (bodyBytes > framing.length || framing.length > MAX_BODY_BYTES) return 'last';
      return bodyBytes === framing.length ? 'whole' : 'body';
    }
    const found = framing.chunks.push(text);
    if (found === 'open') return 'body';
    return found === 'ended' ? 'whole' : 'last';
  }

  /** Interim answers (100, 103) come before the one that counts. */
  function readHeads(): AnswerReader['phase'] {
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      // Other protocols begin otherwise, and then wait for us: that need not take a whole time-out.
      if (!BEGINNING.startsWith(pending.slice(0, BEGINNING.length))) return 'invalid';
      if (end === -1) return pending.length > MAX_HEAD_BYTES ? 'invalid' : 'head';
      const head = pending.slice(0, end);
      const [line, minorVersion = '', digits] = STATUS_LINE.exec(head) ?? [];
      if (line === undefined || end > MAX_HEAD_BYTES) return 'invalid';
      pending = pending.slice(end + 4);
      const found = Number(digits);
      if (found < 200 && found !== 101) continue;
      status = found;
      framing = framingOf(head, found, minorVersion, method);
      return readBody(pending);
    }
  }

  return {
    get status() {
      return status;
    },
    get phase() {
      return phase;
    },
    get isUntouched() {
      return isUntouched;
    },
    push(bytes) {
      isUntouched = false;
      const text = bytes.toString('latin1');
      if (phase === 'head') {
        pending += text;
        phase = readHeads();
      } else if (phase === 'body') phase = readBody(text);
      // Nobody has asked for what comes after the end.
      else if (phase === 'whole') phase = 'last';
    },
  };
}
