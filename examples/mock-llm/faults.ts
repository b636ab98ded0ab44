import type { IncomingHttpHeaders } from 'node:http';
import type { Answer, Endpoint } from './answer.ts';

/**
 * - `429` `500` `503` `401`: refused with that status (a 429 with `retry-after: 1`)
 * - `reset`: the connection is reset before any answer
 * - `stall`: the request is read and never answered
 * - `cut`: the connection dies in the middle of the answer's body
 * - `error-event`: a stream that answers 200 and then, as its first event, an error; otherwise a 503
 * - `slow`: a second passes before the first byte, and 50 ms between two tokens
 *
 * One that is misspelt is refused with a 400, so that it cannot pass for health.
 */
export const faults = ['429', '500', '503', '401', 'reset', 'stall', 'cut', 'error-event', 'slow'] as const;

export type Fault = (typeof faults)[number];

export const SLOW_LATENCY_MS = 1000;
export const SLOW_TOKEN_DELAY_MS = 50;

export interface FaultOptions {
  name?: string;
  fail?: Fault;
  failEvery?: number;
}

/**
 * The fault to play for one request: the one its `?fail=` names, else the one its `x-mock-fail` header names,
 * else the one this mock was started with. `count` is the number of this request, from 1.
 */
export function chooseFault(
  url: URL,
  headers: IncomingHttpHeaders,
  options: FaultOptions,
  count: number,
): Fault | 'unknown' | undefined {
  const asked = url.searchParams.get('fail') ?? askedInHeader(headers['x-mock-fail'], options.name);
  if (asked !== undefined) return faults.find((fault) => fault === asked) ?? 'unknown';
  const { failEvery, fail = failEvery === undefined ? undefined : '429' } = options;
  return count % (failEvery ?? 1) === 0 ? fail : undefined;
}

/** What `fault` makes of an answer. Faults of the connection leave it as it is. */
export function spoil(answer: Answer, endpoint: Endpoint, fault: ReturnType<typeof chooseFault>): Answer {
  switch (fault) {
    case 'unknown':
      return endpoint.refuse(400, `Unknown fault: this mock knows ${faults.join(', ')}`);
    case '429':
      return endpoint.refuse(429, 'Rate limit reached for requests');
    case '500':
      return endpoint.refuse(500, 'The server had an error while processing your request');
    case '503':
      return endpoint.refuse(503, 'The engine is currently overloaded, please try again later');
    case '401':
      return endpoint.refuse(401, 'Incorrect API key provided');
    case 'error-event':
      return answer.kind === 'stream'
        ? { kind: 'stream', events: [endpoint.errorEvent] }
        : endpoint.refuse(503, 'The engine is currently overloaded, please try again later');
    default:
      return answer;
  }
}

/**
 * A header goes through a gateway to every instance, so it can single out mocks by name: `openai=429, local=cut`.
 * A fault without a name is for all of them.
 */
function askedInHeader(header: string | string[] | undefined, name = 'mock'): string | undefined {
  for (const entry of String(header ?? '').split(',')) {
    const [first = '', second] = entry.trim().split('=');
    if (second === undefined && first !== '') return first;
    if (first === name) return second;
  }
  return undefined;
}
