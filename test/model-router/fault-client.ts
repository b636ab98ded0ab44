import http from 'node:http';

/** What a client has had of an answer. */
export interface Received {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** Whether the answer came to its end. */
  readonly isWhole: boolean;
}

export interface Asking {
  readonly port: number;
  readonly agent: http.Agent;
  readonly headers?: Record<string, string>;
  readonly body: object;
}

/** Sends a chat. Resolves when the answer is over, in whatever way. */
export function ask({ port, agent, headers = {}, body }: Asking): Promise<Received> {
  return new Promise((resolve, reject) => {
    const req = http.request({
      port,
      agent,
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json', ...headers },
    });
    req.on('error', reject);
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', () => {});
      res.on('close', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text, isWhole: res.complete });
      });
    });
    req.end(JSON.stringify(body));
  });
}

/** Does something for each number below `count`, so many at a time. */
export async function inParallel(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
