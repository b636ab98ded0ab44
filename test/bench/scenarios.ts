import { CHUNKS_BEFORE_HOLD, completion, plainEvents, usageEvents, withheldEvents } from './answers.ts';
import { cjkConversation, conversation, imageRequest, smallRequest, streamRequest } from './bodies.ts';
import type { GatewayKind } from './gateways.ts';
import type { Load } from './load.ts';
import { MODE_HEADER } from './wire.ts';

const KB = 1024;
const MB = 1024 * KB;

/** A request of the client's, and what it is to receive from a gateway of that kind. */
export interface Scenario {
  body: Buffer;
  /** What the mock is told: see `MODE_HEADER`. */
  mode: string;
  expected(kind: GatewayKind): Buffer;
}

const plain = (body: Buffer): Scenario => ({ body, mode: 'plain', expected: () => completion });

function streamed(mode: string, usage: boolean): Scenario {
  // Ours asks for usage in any case, so its chunks say "usage":null; the chunk that holds it is withheld.
  const unasked = (kind: GatewayKind) => (kind.isOurs ? withheldEvents : plainEvents);
  return {
    body: streamRequest(usage),
    mode,
    expected: (kind) => Buffer.concat(usage ? usageEvents : unasked(kind)),
  };
}

const held: Scenario = {
  body: streamRequest(true),
  mode: 'hold',
  expected: () => Buffer.concat(usageEvents.slice(0, CHUNKS_BEFORE_HOLD)),
};

export const scenarios = {
  small: plain(smallRequest),
  conversation64K: plain(conversation(64 * KB)),
  conversation1M: plain(conversation(MB)),
  image1M: plain(imageRequest(MB)),
  cjk1M: plain(cjkConversation(MB)),
  stream: streamed('burst', false),
  streamWithUsage: streamed('burst', true),
  paced: streamed('paced', false),
  pacedWithUsage: streamed('paced', true),
  held,
} satisfies Record<string, Scenario>;

/** The load that puts `scenario` on a gateway of this kind, by default at its ordinary mount point. */
export function loadOf(
  scenario: Scenario,
  kind: GatewayKind,
  mount = kind.mount,
  headers: Readonly<Record<string, string>> = {},
): Load {
  return {
    path: `${mount}/v1/chat/completions`,
    headers: { [MODE_HEADER]: scenario.mode, ...headers },
    body: scenario.body,
    expected: scenario.expected(kind),
  };
}
