import { chatMaxTokens, type Provider } from './provider.ts';

export const openrouter: Provider = {
  origin: 'https://openrouter.ai',
  paths: { 'openai-chat': '/api/v1/chat/completions' },
  outputLimits: { 'openai-chat': chatMaxTokens },
};
