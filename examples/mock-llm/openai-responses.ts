import { randomUUID } from 'node:crypto';
import { readPath } from '../read-path.ts';
import { type Answer, type Endpoint, json, type ServerSentEvent, unixTime } from './answer.ts';
import { noModel, openaiRefusal, requestedModel } from './openai-errors.ts';
import { answeringModel, composeReply, type Reply, readConversation } from './reply.ts';

/** https://platform.openai.com/docs/api-reference/responses */
export const openaiResponses: Endpoint = {
  refuse: openaiRefusal,
  errorEvent: {
    event: 'error',
    data: {
      type: 'error',
      sequence_number: 0,
      code: 'server_error',
      message: 'The server is overloaded.',
      param: null,
    },
  },
  answer(body, url): Answer {
    const input = readPath(body, 'input');
    const model = requestedModel(readPath(body, 'model'), url);
    if (model === undefined) return noModel;
    if (input === undefined) return openaiRefusal(400, "Missing required parameter: 'input'.", 'input');
    const instructions = readPath(body, 'instructions');
    const { lastUserText, promptTokens } = readConversation([
      ...(typeof instructions === 'string' ? [{ role: 'system', content: instructions }] : []),
      ...(Array.isArray(input) ? input : [{ role: 'user', content: input }]),
    ]);
    const limit = readPath(body, 'max_output_tokens');
    const reply = composeReply(lastUserText, limit);
    const usage = {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: reply.pieces.length,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: promptTokens + reply.pieces.length,
    };
    const started = {
      id: `resp_${randomUUID().replaceAll('-', '')}`,
      object: 'response',
      created_at: unixTime(),
      status: 'in_progress',
      background: false,
      error: null,
      incomplete_details: null,
      instructions: instructions ?? null,
      max_output_tokens: limit ?? null,
      metadata: {},
      model: answeringModel(model),
      output: [],
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      store: false,
      temperature: 1,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_p: 1,
      truncation: 'disabled',
      usage: null,
    };
    const message = finishedMessage(reply);
    const finished = {
      ...started,
      status: message.status,
      incomplete_details: reply.isCut ? { reason: 'max_output_tokens' } : null,
      output: [message],
      usage,
    };
    if (readPath(body, 'stream') !== true) return json(200, finished);
    return { kind: 'stream', events: events(started, finished, message, reply) };
  },
};

function finishedMessage(reply: Reply) {
  return {
    id: `msg_${randomUUID().replaceAll('-', '')}`,
    type: 'message',
    status: reply.isCut ? 'incomplete' : 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text: reply.text, annotations: [], logprobs: [] }],
  };
}

/** Every event is named twice, by `event:` and by `type`, and numbered. There is no `[DONE]`. */
function events(
  started: object,
  finished: object,
  message: ReturnType<typeof finishedMessage>,
  reply: Reply,
): ServerSentEvent[] {
  const item = { item_id: message.id, output_index: 0 };
  const part = { ...item, content_index: 0 };
  const emptyPart = { type: 'output_text', text: '', annotations: [], logprobs: [] };
  const told: [type: string, data: object][] = [
    ['response.created', { response: started }],
    ['response.in_progress', { response: started }],
    [
      'response.output_item.added',
      { output_index: 0, item: { ...message, status: 'in_progress', content: [] } },
    ],
    ['response.content_part.added', { ...part, part: emptyPart }],
    ...reply.pieces.map((delta): [string, object] => [
      'response.output_text.delta',
      { ...part, delta, logprobs: [] },
    ]),
    ['response.output_text.done', { ...part, text: reply.text, logprobs: [] }],
    ['response.content_part.done', { ...part, part: message.content[0] }],
    ['response.output_item.done', { output_index: 0, item: message }],
    [reply.isCut ? 'response.incomplete' : 'response.completed', { response: finished }],
  ];
  return told.map(([type, data], index) => ({
    event: type,
    data: { type, sequence_number: index, ...data },
  }));
}
