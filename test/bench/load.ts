import type { IncomingHttpHeaders } from 'node:http';
import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { CLIENT_KEY } from './wire.ts';

/** One kind of request, and the only answer that counts. */
export interface Load {
  path: string;
  headers: Record<string, string>;
  body: Buffer;
  expected: Buffer;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface LoadResult {
  requests: number;
  /** From sending the request to the first byte of the answer's body. */
  firstByteMs: number[];
  /** From sending the request to the end of the answer. */
  totalMs: number[];
}

/** What the OpenAI SDK sends; a proxy copies each of them. */
const SDK_HEADERS = {
  accept: 'application/json',
  'content-type': 'application/json',
  authorization: CLIENT_KEY,
  'user-agent': 'OpenAI/JS 6.49.0',
  'x-stainless-arch': 'x64',
  'x-stainless-lang': 'js',
  'x-stainless-os': 'Linux',
  'x-stainless-package-version': '6.49.0',
  'x-stainless-retry-count': '0',
  'x-stainless-runtime': 'node',
  'x-stainless-runtime-version': 'v20.20.2',
};

function requestOf(load: Load): {
  path: string;
  method: 'POST';
  headers: Record<string, string>;
  body: Buffer;
} {
  return { path: load.path, method: 'POST', headers: { ...SDK_HEADERS, ...load.headers }, body: load.body };
}

function fault(load: Load, what: string): Error {
  return new Error(`${load.path}: ${what}`);
}

interface Timing {
  firstByteMs: number;
  totalMs: number;
}

/**
 * Sends one request and compares the answer with `load.expected` while it comes in.
 * Below undici's `request`: no stream, no listener, nothing collected. The generator has to be cheap.
 */
function sendChecked(pool: Pool, load: Load): Promise<Timing> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let firstByteMs = 0;
    let received = 0;
    pool.dispatch(requestOf(load), {
      onRequestStart() {},
      onResponseStart(controller, status) {
        if (status !== 200) controller.abort(fault(load, `answered ${status}`));
      },
      onResponseData(controller, chunk) {
        if (received === 0) firstByteMs = performance.now() - startedAt;
        const end = received + chunk.length;
        if (
          end > load.expected.length ||
          load.expected.compare(chunk, 0, chunk.length, received, end) !== 0
        ) {
          controller.abort(
            fault(load, `unexpected bytes after ${received}: ${chunk.toString().slice(0, 300)}`),
          );
        }
        received = end;
      },
      onResponseEnd() {
        if (received === load.expected.length)
          resolve({ firstByteMs, totalMs: performance.now() - startedAt });
        else reject(fault(load, `${received} bytes instead of ${load.expected.length}`));
      },
      onResponseError: (_controller, error) => reject(error),
    });
  });
}

/** Keeps `concurrency` requests in flight until `durationMs` have passed; one wrong answer fails it. */
export async function runLoad(
  pool: Pool,
  load: Load,
  concurrency: number,
  durationMs: number,
): Promise<LoadResult> {
  const result: LoadResult = { requests: 0, firstByteMs: [], totalMs: [] };
  const endAt = performance.now() + durationMs;

  async function runOneAfterAnother(): Promise<void> {
    do {
      const { firstByteMs, totalMs } = await sendChecked(pool, load);
      result.requests += 1;
      result.firstByteMs.push(firstByteMs);
      result.totalMs.push(totalMs);
    } while (performance.now() < endAt);
  }

  await Promise.all(Array.from({ length: concurrency }, runOneAfterAnother));
  return result;
}

/** Opens a stream and resolves once `load.expected` has come in; the stream stays open until the pool is destroyed. */
export function openStream(pool: Pool, load: Load): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0;
    pool.dispatch(requestOf(load), {
      onRequestStart() {},
      onResponseStart(controller, status) {
        if (status !== 200) controller.abort(fault(load, `answered ${status}`));
      },
      onResponseData(controller, chunk) {
        received += chunk.length;
        if (received === load.expected.length) resolve();
        if (received > load.expected.length) controller.abort(fault(load, 'sent more than expected'));
      },
      onResponseEnd: () => reject(fault(load, 'ended a stream that was to stay open')),
      onResponseError: (_controller, error) => reject(error),
    });
  });
}

/** One request, its whole answer collected: for looking at, not for measuring. */
export async function sendOnce(pool: Pool, load: Load): Promise<Answer> {
  const { statusCode, headers, body } = await pool.request(requestOf(load));
  return { status: statusCode, headers, body: Buffer.from(await body.arrayBuffer()) };
}

/** No limit on connections: what waits for a socket here would not load the gateway. */
export const createPool = (origin: string): Pool => new Pool(origin, { connections: null, pipelining: 1 });
