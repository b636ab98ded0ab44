import { randomUUID } from 'node:crypto';
import { readPath } from '../read-path.ts';
import { type Answer, type Endpoint, json, type ServerSentEvent } from './answer.ts';
import { type Conversation, composeReply, composeToolArguments, readConversation } from './reply.ts';

type Block = { type: 'text'; text: string } | { type: 'tool_use'; id: string; name: string; input: unknown };

/** The one block of an answer, and the pieces in which a stream tells it. */
interface Content {
  block: Block;
  pieces: string[];
  stopReason: 'end_turn' | 'max_tokens' | 'tool_use';
}

const errorTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  500: 'api_error',
  503: 'api_error',
};

function refuse(status: number, message: string): Answer {
  const type = errorTypes[status] ?? 'invalid_request_error';
  const headers: Record<string, string> = status === 429 ? { 'retry-after': '1' } : {};
  return json(status, { type: 'error', error: { type, message }, request_id: newId('req') }, headers);
}

/** https://docs.anthropic.com/en/api/messages */
export const anthropicMessages: Endpoint = {
  refuse,
  errorEvent: {
    event: 'error',
    data: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  },
  answer(body): Answer {
    const messages = readPath(body, 'messages');
    const model = readPath(body, 'model');
    const limit = readPath(body, 'max_tokens');
    if (typeof model !== 'string') return refuse(400, 'model: Field required');
    if (!Array.isArray(messages)) return refuse(400, 'messages: Field required');
    if (typeof limit !== 'number') return refuse(400, 'max_tokens: Field required');
    const conversation = readWhole(body, messages);
    const content = compose(body, conversation, limit);
    const usage = {
      input_tokens: conversation.promptTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: content.pieces.length,
      service_tier: 'standard',
    };
    const message = {
      id: newId('msg'),
      type: 'message',
      role: 'assistant',
      model,
      content: [content.block],
      stop_reason: content.stopReason,
      stop_sequence: null,
      usage,
    };
    if (readPath(body, 'stream') !== true) return json(200, message);
    // A stream's first event already bills the prompt and one token; the last one has the final count.
    const started = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
    return { kind: 'stream', events: events(started, content) };
  },
};

function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
}

function compose(body: unknown, { isUsersTurn, lastUserText }: Conversation, limit: number): Content {
  const name = readPath(body, 'tools', 0, 'name');
  if (typeof name === 'string' && isUsersTurn && /weather/i.test(lastUserText)) {
    const whole = composeToolArguments(readPath(body, 'tools', 0, 'input_schema'));
    const input: unknown = JSON.parse(whole);
    const middle = Math.ceil(whole.length / 2);
    const pieces = ['', whole.slice(0, middle), whole.slice(middle)];
    return { block: { type: 'tool_use', id: newId('toolu'), name, input }, pieces, stopReason: 'tool_use' };
  }
  const { pieces, text, isCut } = composeReply(lastUserText, limit);
  return { block: { type: 'text', text }, pieces, stopReason: isCut ? 'max_tokens' : 'end_turn' };
}

function events(started: object, { block, pieces, stopReason }: Content): ServerSentEvent[] {
  const empty = block.type === 'text' ? { ...block, text: '' } : { ...block, input: {} };
  const told = [
    { type: 'message_start', message: started },
    { type: 'content_block_start', index: 0, content_block: empty },
    { type: 'ping' },
    ...pieces.map((piece) => ({
      type: 'content_block_delta',
      index: 0,
      delta:
        block.type === 'text'
          ? { type: 'text_delta', text: piece }
          : { type: 'input_json_delta', partial_json: piece },
    })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: pieces.length },
    },
    { type: 'message_stop' },
  ];
  return told.map((data) => ({ event: data.type, data }));
}

/** https://docs.anthropic.com/en/api/messages-count-tokens */
export const anthropicCountTokens: Endpoint = {
  ...anthropicMessages,
  answer(body): Answer {
    const messages = readPath(body, 'messages');
    if (!Array.isArray(messages)) return refuse(400, 'messages: Field required');
    return json(200, { input_tokens: readWhole(body, messages).promptTokens });
  },
};

/** The system prompt is a field of its own here, and costs tokens like a message. */
function readWhole(body: unknown, messages: unknown[]): Conversation {
  const system = readPath(body, 'system');
  return readConversation(
    system === undefined ? messages : [{ role: 'system', content: system }, ...messages],
  );
}
