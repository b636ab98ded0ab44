import { chatMaxTokens, messagesMaxTokens, type Provider } from './provider.ts';

export const anthropic: Provider = {
  origin: 'https://api.anthropic.com',
  paths: {
    'openai-chat': '/v1/chat/completions',
    'anthropic-messages': '/v1/messages',
  },
  outputLimits: { 'openai-chat': chatMaxTokens, 'anthropic-messages': messagesMaxTokens },
};
