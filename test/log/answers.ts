import { chatAnswer } from '../support/upstream.ts';

/** OpenAI's usage as its API reference prints it, with a prompt partly cached and a model that reasons. */
export const openaiUsage = {
  prompt_tokens: 2006,
  completion_tokens: 300,
  total_tokens: 2306,
  prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 192,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

/** deepseek-reasoner's. */
export const deepseekUsage = {
  prompt_tokens: 141,
  completion_tokens: 96,
  total_tokens: 237,
  prompt_tokens_details: { cached_tokens: 128 },
  completion_tokens_details: { reasoning_tokens: 71 },
  prompt_cache_hit_tokens: 128,
  prompt_cache_miss_tokens: 13,
};

/** Anthropic's, with a prompt partly read from its cache and partly written to it. */
export const anthropicUsage = {
  input_tokens: 21,
  cache_creation_input_tokens: 188,
  cache_read_input_tokens: 1086,
  output_tokens: 93,
  service_tier: 'standard',
};

export const responsesUsage = {
  input_tokens: 328,
  input_tokens_details: { cached_tokens: 256 },
  output_tokens: 52,
  output_tokens_details: { reasoning_tokens: 32 },
  total_tokens: 380,
};

/** The variables that the usages above come to. */
export const openaiCounts = {
  llm_prompt_tokens: 2006,
  llm_completion_tokens: 300,
  llm_total_tokens: 2306,
  llm_cache_read_input_tokens: 1920,
  llm_cache_creation_input_tokens: 0,
  llm_reasoning_tokens: 192,
};
export const deepseekCounts = {
  llm_prompt_tokens: 141,
  llm_completion_tokens: 96,
  llm_total_tokens: 237,
  llm_cache_read_input_tokens: 128,
  llm_cache_creation_input_tokens: 0,
  llm_reasoning_tokens: 71,
};
export const anthropicCounts = {
  llm_prompt_tokens: 21,
  llm_completion_tokens: 93,
  llm_total_tokens: 114,
  llm_cache_read_input_tokens: 1086,
  llm_cache_creation_input_tokens: 188,
  llm_reasoning_tokens: 0,
};
export const responsesCounts = {
  llm_prompt_tokens: 328,
  llm_completion_tokens: 52,
  llm_total_tokens: 380,
  llm_cache_read_input_tokens: 256,
  llm_cache_creation_input_tokens: 0,
  llm_reasoning_tokens: 32,
};

export const chat = (usage: object = openaiUsage) => ({
  ...chatAnswer('gpt-4o-2024-08-06', 'Hi you.'),
  usage,
});

export const embeddings = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.1, -0.2] }],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 5, total_tokens: 5 },
};

export const message = {
  id: 'msg_01',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-20250514',
  content: [{ type: 'text', text: 'Hi you.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: anthropicUsage,
};

export const response = {
  id: 'resp_01',
  object: 'response',
  status: 'completed',
  model: 'gpt-4o-2024-08-06',
  output: [
    { type: 'reasoning', id: 'rs_01', summary: [] },
    {
      type: 'message',
      id: 'msg_01',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hi you.', annotations: [] }],
    },
  ],
  usage: responsesUsage,
};

function event(data: Record<string, unknown>): string {
  const name = typeof data.type === 'string' ? `event: ${data.type}\n` : '';
  return `${name}data: ${JSON.stringify(data)}\n\n`;
}

function chunk(delta: object, rest: object = {}): string {
  return event({ object: 'chat.completion.chunk', choices: [{ index: 0, delta }], usage: null, ...rest });
}

export const chatEvents = (usage: object = openaiUsage): string =>
  [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hi ' }),
    chunk({ content: 'you.' }),
    chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    chunk({}, { choices: [], usage }),
    'data: [DONE]\n\n',
  ].join('');

/** DeepSeek reports usage in the chunk that also holds the finish reason, and pings with comments. */
export const deepseekEvents = [
  ': keep-alive\n\n',
  chunk({ role: 'assistant', content: '', reasoning_content: 'Well' }),
  chunk({ content: 'Hi you.' }),
  chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: deepseekUsage }),
  'data: [DONE]\n\n',
].join('');

/** The first event already bills one token of the answer; the last one has the count. */
export const messageEvents = [
  event({
    type: 'message_start',
    message: { ...message, content: [], usage: { ...anthropicUsage, output_tokens: 1 } },
  }),
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  event({ type: 'ping' }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi ' } }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'you.' } }),
  event({ type: 'content_block_stop', index: 0 }),
  event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 93 } }),
  event({ type: 'message_stop' }),
].join('');

export const responseEvents = [
  event({
    type: 'response.created',
    response: { ...response, status: 'in_progress', output: [], usage: null },
  }),
  event({ type: 'response.output_text.delta', delta: 'Hi ' }),
  event({ type: 'response.output_text.delta', delta: 'you.' }),
  event({ type: 'response.output_text.done', text: 'Hi you.' }),
  event({ type: 'response.completed', response }),
].join('');

export const chatToolCall = {
  ...chatAnswer('gpt-4o'),
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
      },
      finish_reason: 'tool_calls',
    },
  ],
};

export const chatToolCallEvents = [
  chunk({ role: 'assistant', content: null }),
  chunk({
    tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }],
  }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] }),
  chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
  'data: [DONE]\n\n',
].join('');

export const messageToolCall = {
  ...message,
  content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }],
  stop_reason: 'tool_use',
};

export const messageToolCallEvents = [
  event({ type: 'message_start', message: { ...message, content: [] } }),
  event({
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
  }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{}' } }),
  event({ type: 'message_stop' }),
].join('');

const functionCall = {
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'weather',
  arguments: '{}',
};

export const responseToolCall = { ...response, output: [functionCall] };

export const responseToolCallEvents = [
  event({ type: 'response.output_item.added', output_index: 0, item: functionCall }),
  event({ type: 'response.completed', response: { ...response, output: [functionCall] } }),
].join('');
