import { chatMaxCompletionTokens, type Provider, responsesMaxOutputTokens } from './provider.ts';

export const openai: Provider = {
  origin: 'https://api.openai.com',
  paths: {
    'openai-chat': '/v1/chat/completions',
    'openai-responses': '/v1/responses',
    'openai-embeddings': '/v1/embeddings',
  },
  outputLimits: {
    'openai-chat': chatMaxCompletionTokens,
    'openai-responses': responsesMaxOutputTokens,
  },
};
