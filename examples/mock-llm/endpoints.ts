import { type Answer, type Endpoint, json } from './answer.ts';
import { anthropicCountTokens, anthropicMessages } from './anthropic-messages.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import { openaiRefusal } from './openai-errors.ts';
import { openaiResponses } from './openai-responses.ts';

/** The first that ends the path serves it, whatever stands before: `/v1`, `/api/v1`, an Azure deployment. */
const byPathEnd: readonly (readonly [pathEnd: string, endpoint: Endpoint])[] = [
  ['/v1/messages/count_tokens', anthropicCountTokens],
  ['/v1/messages', anthropicMessages],
  ['/v1/responses', openaiResponses],
  ['/chat/completions', openaiChat],
  ['/embeddings', openaiEmbeddings],
];

/** https://platform.openai.com/docs/api-reference/models */
const models = ['gpt-4', 'gpt-4o', 'gpt-4o-mini', 'deepseek-chat', 'text-embedding-3-small'].map((id) => ({
  id,
  object: 'model',
  created: 1_700_000_000,
  owned_by: 'mock-llm',
}));

const modelList: Endpoint = { ...openaiChat, answer: () => json(200, { object: 'list', data: models }) };

const unknownUrl: Endpoint = {
  ...openaiChat,
  answer: (_body, url): Answer => openaiRefusal(404, `Invalid URL (${url.pathname})`),
};

export function findEndpoint(method: string, url: URL): Endpoint {
  if (method === 'GET') return url.pathname.endsWith('/models') ? modelList : unknownUrl;
  return byPathEnd.find(([pathEnd]) => url.pathname.endsWith(pathEnd))?.[1] ?? unknownUrl;
}
