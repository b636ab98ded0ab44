import { chatMaxTokens, type Provider, responsesMaxOutputTokens } from './provider.ts';

export const openaiCompatible: Provider = {
  paths: {
    'openai-chat': '/v1/chat/completions',
    'openai-responses': '/v1/responses',
    'openai-embeddings': '/v1/embeddings',
  },
  outputLimits: { 'openai-chat': chatMaxTokens, 'openai-responses': responsesMaxOutputTokens },
};
