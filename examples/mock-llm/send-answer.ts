import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, ServerSentEvent } from './answer.ts';

export interface Pace {
  /** Milliseconds before the head of the answer. */
  latencyMs: number;
  /** Milliseconds between two events of a stream. */
  tokenDelayMs: number;
  /** True when the connection is to die in the middle of the body. */
  isCut: boolean;
}

/** Rejects with an `AbortError` when the client hangs up meanwhile. */
export async function sendAnswer(res: ServerResponse, answer: Answer, pace: Pace): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  if (pace.latencyMs > 0) await sleep(pace.latencyMs, undefined, { signal: gone.signal });
  if (answer.kind === 'json') await sendJson(res, answer, pace);
  else await sendStream(res, answer.events, pace, gone.signal);
}

async function sendJson(
  res: ServerResponse,
  answer: Extract<Answer, { kind: 'json' }>,
  pace: Pace,
): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(answer.body));
  res.writeHead(answer.status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...answer.headers,
  });
  if (!pace.isCut) res.end(bytes);
  else await cutAfter(res, bytes.subarray(0, bytes.length / 2));
}

async function sendStream(
  res: ServerResponse,
  events: ServerSentEvent[],
  pace: Pace,
  signal: AbortSignal,
): Promise<void> {
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  const middle = Math.ceil(events.length / 2);
  for (const [index, event] of events.entries()) {
    const text = format(event);
    if (pace.isCut && index === middle) return cutAfter(res, text.slice(0, text.length / 2));
    if (index > 0 && pace.tokenDelayMs > 0) await sleep(pace.tokenDelayMs, undefined, { signal });
    if (!res.write(text)) await once(res, 'drain', { signal });
  }
  res.end();
}

/** Destroyed at once, the last bytes would be thrown away with the socket. */
function cutAfter(res: ServerResponse, half: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    res.write(half, () => {
      res.destroy();
      resolve();
    });
  });
}

function format({ event, data }: ServerSentEvent): string {
  const line = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
  return event === undefined ? line : `event: ${event}\n${line}`;
}
