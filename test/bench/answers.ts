/** Chunks of one streamed answer, without the usage-only one and `[DONE]`. */
export const CHUNKS_PER_ANSWER = 200;

/** Chunks after which a held stream falls silent. */
export const CHUNKS_BEFORE_HOLD = 3;

const USAGE = {
  prompt_tokens: 47,
  completion_tokens: 198,
  total_tokens: 245,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};

/** A whole chat completion, about 550 bytes. */
export const completion = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
    object: 'chat.completion',
    created: 1741569952,
    model: 'gpt-4o-2024-08-06',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'The Danube, the Inn and the Ilz; the Inn carries the most.',
          refusal: null,
        },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: USAGE,
    service_tier: 'default',
    system_fingerprint: 'fp_06737a9306',
  }),
);

/** What a provider says when its rate limit is reached. */
export const rateLimitError = Buffer.from(
  JSON.stringify({
    error: {
      message: 'Rate limit reached for gpt-4o on requests per min (RPM): Limit 3, Used 3, Requested 1.',
      type: 'requests',
      param: null,
      code: 'rate_limit_exceeded',
    },
  }),
);

function event(choices: readonly object[], usage: object): Buffer {
  const chunk = {
    id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
    object: 'chat.completion.chunk',
    created: 1741570283,
    model: 'gpt-4o-2024-08-06',
    system_fingerprint: 'fp_06737a9306',
    choices,
    ...usage,
  };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}

const WORDS = [' the', ' river', ',', ' which', ' carries', ' "most"', ' of', ' its', '\n', ' water'];

function deltaOf(index: number): object {
  if (index === 0) return { role: 'assistant', content: '' };
  return index === CHUNKS_PER_ANSWER - 1 ? {} : { content: WORDS[index % WORDS.length] };
}

const done = Buffer.from('data: [DONE]\n\n');

/** OpenAI says `"usage":null` in every chunk once usage was asked for. */
const chatChunks = (usage: object): Buffer[] =>
  Array.from({ length: CHUNKS_PER_ANSWER }, (_, index) => {
    const finish_reason = index === CHUNKS_PER_ANSWER - 1 ? 'stop' : null;
    return event([{ index: 0, delta: deltaOf(index), finish_reason }], usage);
  });

/** The events of a streamed answer to a request that did not ask for usage. */
export const plainEvents: readonly Buffer[] = [...chatChunks({}), done];

/** The events of one that did: the last chunk but `[DONE]` has no choice and holds the usage. */
export const usageEvents: readonly Buffer[] = [
  ...chatChunks({ usage: null }),
  event([], { usage: USAGE }),
  done,
];

/** What a client receives whose gateway asked for usage on its own account and kept the answer to itself. */
export const withheldEvents: readonly Buffer[] = [...chatChunks({ usage: null }), done];
