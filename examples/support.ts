/** What the examples share that is not about ai-proxy-multi. */

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type MockLlmOptions, startMockLlm } from './mock-llm.ts';
import { readPath } from './read-path.ts';

export interface Llm {
  /** For an instance's `override`: empty for the real provider, else the mock's address. */
  override: { endpoint?: string };
  close(): Promise<void>;
}

/** Stands in for a missing key: a configuration that names a variable nobody has set is refused. */
const PLACEHOLDER = 'the-mock-needs-no-key';

/**
 * The real provider when its key is in the environment, otherwise a mock of it. A provider that is to fail is
 * always a mock, since real ones do not fail on demand.
 */
export async function findLlm(keyName: string, mockOptions: MockLlmOptions = {}): Promise<Llm> {
  process.env[keyName] ||= PLACEHOLDER;
  const mustFail = mockOptions.fail !== undefined || mockOptions.failEvery !== undefined;
  const hasKey = process.env[keyName] !== PLACEHOLDER;
  if (hasKey && !mustFail) return { override: {}, close: async () => {} };
  const mock = await startMockLlm(mockOptions);
  return { override: { endpoint: mock.url }, close: mock.close };
}

export interface Site {
  /** Without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

/** Serves an Express app on the loopback address; port 0 is a free one. */
export async function listen(app: RequestListener, port = 0): Promise<Site> {
  const server = createServer(app).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

export interface JsonAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

export async function postJson(
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<JsonAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** `llm_attempts` in a line: "flaky 429 → slow 200". */
export function describeAttempts(attempts: unknown): string {
  if (!Array.isArray(attempts)) return '-';
  return attempts.map(describeAttempt).join(' → ');
}

function describeAttempt(attempt: unknown): string {
  const skipped = readPath(attempt, 'skipped');
  const result = readPath(attempt, 'status') ?? readPath(attempt, 'error') ?? `skipped (${skipped})`;
  return `${readPath(attempt, 'instance')} ${result}`;
}
