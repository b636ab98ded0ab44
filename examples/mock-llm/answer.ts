/** One event of a stream. `data` is sent as JSON, a string as it is (OpenAI's `[DONE]`). */
export interface ServerSentEvent {
  event?: string;
  data: unknown;
}

/** What the mock has decided to say, before a fault changes how it is said. */
export type Answer =
  | { kind: 'json'; status: number; headers?: Record<string, string>; body: unknown }
  | { kind: 'stream'; events: ServerSentEvent[] };

/** One API of one provider: what it answers, and how it words a refusal. */
export interface Endpoint {
  answer(body: unknown, url: URL): Answer;
  refuse(status: number, message: string): Answer;
  /** The first and only event of a stream that has failed after its 200. */
  errorEvent: ServerSentEvent;
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return { kind: 'json', status, headers, body };
}

/** Seconds, as OpenAI stamps its answers. */
export function unixTime(): number {
  return Math.floor(Date.now() / 1000);
}
