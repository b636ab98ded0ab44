import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { parseObject } from '../../lib/protocols/json.ts';
import {
  answerJson,
  type Call,
  chatAnswer,
  chatEvent,
  doneEvent,
  startUpstream,
  type Upstream,
  usageEvent,
} from '../support/upstream.ts';
import { chance, draw } from './chance.ts';

/** How many pieces a whole answer has, each with its mark. */
export const PIECES = 5;

export const RETRY_AFTER_SECONDS = 300;

/** What an upstream does with a request, and what should come of it. */
export interface Deed {
  readonly name: string;
  readonly weight: number;
  /** What `llm_attempts` says of it: a status, or an error. */
  readonly outcome: number | string;
  /** The status of the head, if one was sent. */
  readonly head: number | undefined;
  /** Which of the failures in `status()` it counts as. */
  readonly failure?: 'reset' | 'timed_out' | 'other';
  /** A stream that breaks off after it has begun. */
  readonly isCut?: true;
  play(res: ServerResponse, mark: string, socket: Socket): void;
}

function stream(res: ServerResponse): ServerResponse {
  return res.writeHead(200, { 'content-type': 'text/event-stream' });
}

function begin(res: ServerResponse, mark: string): ServerResponse {
  stream(res).write(chatEvent(mark));
  res.write(chatEvent(mark));
  return res;
}

function wholeText(mark: string): string {
  return JSON.stringify(chatAnswer('upstream', Array(PIECES).fill(mark).join(' ')));
}

function plainHead(res: ServerResponse, mark: string): ServerResponse {
  const length = Buffer.byteLength(wholeText(mark));
  return res.writeHead(200, { 'content-type': 'application/json', 'content-length': length });
}

function errorOf(mark: string, type?: string) {
  return { error: { message: `no, says ${mark}`, code: 'some_code', ...(type !== undefined && { type }) } };
}

const inEvent = (type: string) => (res: ServerResponse, mark: string) => {
  stream(res).end(`data: ${JSON.stringify({ error: { message: `no, says ${mark}`, type } })}\n\n`);
};

const answerError =
  (status: number, headers: Record<string, string> = {}) =>
  (res: ServerResponse, mark: string): void =>
    answerJson(res, status, errorOf(mark), headers);

const reset = (socket: Socket) => () => socket.resetAndDestroy();

const ANYWHERE: readonly Deed[] = [
  {
    name: 'resets before the head',
    weight: 5,
    outcome: 'upstream_reset',
    head: undefined,
    failure: 'reset',
    play: (_res, _mark, socket) => socket.resetAndDestroy(),
  },
  {
    name: 'says nothing',
    weight: 0.2,
    outcome: 'upstream_timeout',
    head: undefined,
    failure: 'timed_out',
    play() {},
  },
  {
    name: 'does not speak HTTP',
    weight: 4,
    outcome: 'upstream_invalid_answer',
    head: undefined,
    failure: 'other',
    play: (_res, _mark, socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
  },
  { name: 'answers 400', weight: 3, outcome: 400, head: 400, play: answerError(400) },
  { name: 'answers 500', weight: 6, outcome: 500, head: 500, play: answerError(500) },
  {
    name: 'answers 429',
    weight: 6,
    outcome: 429,
    head: 429,
    play: answerError(429, { 'retry-after': String(RETRY_AFTER_SECONDS) }),
  },
  {
    name: 'answers what is no JSON',
    weight: 3,
    outcome: 'upstream_decode_error',
    head: 200,
    failure: 'other',
    play: (res, mark) => res.writeHead(200, { 'content-type': 'application/json' }).end(`{"mark":"${mark}`),
  },
];

const PLAIN: readonly Deed[] = [
  ...ANYWHERE,
  {
    name: 'answers',
    weight: 35,
    outcome: 200,
    head: 200,
    play: (res, mark) => plainHead(res, mark).end(wholeText(mark)),
  },
  {
    name: 'answers byte after byte',
    weight: 3,
    outcome: 200,
    head: 200,
    play(res, mark) {
      plainHead(res, mark);
      for (const byte of Buffer.from(wholeText(mark))) res.write(Buffer.of(byte));
      res.end();
    },
  },
  {
    name: 'resets after the head',
    weight: 3,
    outcome: 'upstream_reset',
    head: 200,
    failure: 'reset',
    play(res, mark, socket) {
      plainHead(res, mark).flushHeaders();
      socket.write('', reset(socket));
    },
  },
  {
    name: 'resets within the body',
    weight: 3,
    outcome: 'upstream_reset',
    head: 200,
    failure: 'reset',
    play: (res, mark, socket) => plainHead(res, mark).write(wholeText(mark).slice(0, 200), reset(socket)),
  },
  {
    name: 'stops within the body',
    weight: 0.2,
    outcome: 'upstream_timeout',
    head: 200,
    failure: 'timed_out',
    play: (res, mark) => plainHead(res, mark).write(wholeText(mark).slice(0, 200)),
  },
];

const STREAMED: readonly Deed[] = [
  ...ANYWHERE,
  {
    name: 'streams',
    weight: 35,
    outcome: 200,
    head: 200,
    play(res, mark) {
      stream(res);
      for (let piece = 0; piece < PIECES; piece++) res.write(chatEvent(mark));
      res.end(usageEvent + doneEvent);
    },
  },
  {
    name: 'streams byte after byte',
    weight: 2,
    outcome: 200,
    head: 200,
    play(res, mark) {
      stream(res);
      for (const byte of Buffer.from(chatEvent(mark).repeat(PIECES))) res.write(Buffer.of(byte));
      res.end(usageEvent + doneEvent);
    },
  },
  {
    name: 'resets after the head',
    weight: 3,
    outcome: 'upstream_reset',
    head: 200,
    failure: 'reset',
    play(res, _mark, socket) {
      stream(res).flushHeaders();
      socket.write('', reset(socket));
    },
  },
  {
    name: 'stops after the head',
    weight: 0.2,
    outcome: 'upstream_timeout',
    head: 200,
    failure: 'timed_out',
    play: (res) => stream(res).flushHeaders(),
  },
  { name: 'is overloaded', weight: 3, outcome: 529, head: 200, play: inEvent('overloaded_error') },
  { name: 'is at its limit', weight: 2, outcome: 429, head: 200, play: inEvent('rate_limit_exceeded') },
  { name: 'refuses', weight: 2, outcome: 400, head: 200, play: inEvent('invalid_request_error') },
  {
    name: 'resets in mid-stream',
    weight: 3,
    outcome: 200,
    head: 200,
    failure: 'reset',
    isCut: true,
    play: (res, mark, socket) => begin(res, mark).write(': \n\n', reset(socket)),
  },
  {
    name: 'stops in mid-stream',
    weight: 0.2,
    outcome: 200,
    head: 200,
    failure: 'timed_out',
    isCut: true,
    play: (res, mark) => begin(res, mark),
  },
  {
    name: 'tells of an error in mid-stream',
    weight: 3,
    outcome: 200,
    head: 200,
    isCut: true,
    play: (res, mark) => begin(res, mark).end(`data: ${JSON.stringify(errorOf('the error'))}\n\n`),
  },
];

export const DEED_NAMES = [...PLAIN, ...STREAMED].map(({ name }) => name);

function askedIn(body: string): { user: string; streams: boolean } {
  const json = parseObject(body);
  return { user: String(json?.user), streams: json?.stream === true };
}

/** What an upstream has done with one request. */
export interface Done {
  readonly target: string;
  readonly deed: Deed;
  /** Stands in all that it answered with. */
  readonly mark: string;
}

export interface FaultyUpstreams {
  /** By the `user` of the requests. */
  readonly done: ReadonlyMap<string, readonly Done[]>;
  /** Requests that were reset, by target, over a socket that had carried others: the gateway may send them again. */
  readonly stale: ReadonlyMap<string, number>;
  start(target: string): Promise<Upstream>;
}

/** Upstreams that do with each request what the seed says. */
export function faultyUpstreams(seed: number): FaultyUpstreams {
  const done = new Map<string, Done[]>();
  const stale = new Map<string, number>();
  const counts = new Map<string, number>();

  function play(target: string, call: Call, res: ServerResponse, usedSockets: WeakSet<Socket>): void {
    const { user, streams } = askedIn(call.body);
    const key = `${user}/${target}`;
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    const deed = draw(streams ? STREAMED : PLAIN, chance(seed, key, count));
    const { socket } = call;
    const wasUsed = usedSockets.has(socket);
    usedSockets.add(socket);
    if (wasUsed && deed.name === 'resets before the head') {
      stale.set(target, (stale.get(target) ?? 0) + 1);
      socket.resetAndDestroy();
      return;
    }
    const mark = `<${key}/${count}>`;
    done.set(user, [...(done.get(user) ?? []), { target, deed, mark }]);
    deed.play(res, mark, socket);
  }

  return {
    done,
    stale,
    start(target) {
      const usedSockets = new WeakSet<Socket>();
      return startUpstream((call, res) => play(target, call, res, usedSockets));
    },
  };
}
