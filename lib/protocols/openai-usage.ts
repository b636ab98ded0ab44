import { isObject, type JsonObject, tokenCount } from './json.ts';
import type { Usage } from './protocol.ts';

/** The `total_tokens` of a usage object; `sum` where there is no such number: some servers write `null`. */
export function totalTokens(raw: JsonObject, sum: number): number {
  return typeof raw.total_tokens === 'number' ? tokenCount(raw.total_tokens) : sum;
}

/**
 * Usage as chat completions and embeddings report it (platform.openai.com/docs/api-reference/chat/object).
 * DeepSeek counts cached tokens in `prompt_cache_hit_tokens` instead.
 */
export function readOpenaiUsage(raw: JsonObject): Usage {
  const prompt = isObject(raw.prompt_tokens_details) ? raw.prompt_tokens_details : {};
  const completion = isObject(raw.completion_tokens_details) ? raw.completion_tokens_details : {};
  const promptTokens = tokenCount(raw.prompt_tokens);
  const completionTokens = tokenCount(raw.completion_tokens);
  return {
    promptTokens,
    completionTokens,
    totalTokens: totalTokens(raw, promptTokens + completionTokens),
    cacheReadInputTokens: tokenCount(prompt.cached_tokens ?? raw.prompt_cache_hit_tokens),
    cacheCreationInputTokens: tokenCount(prompt.cache_creation_input_tokens),
    reasoningTokens: tokenCount(completion.reasoning_tokens),
  };
}
