import { chatMaxTokens, type Provider } from './provider.ts';

export const aimlapi: Provider = {
  origin: 'https://api.aimlapi.com',
  paths: { 'openai-chat': '/chat/completions' },
  outputLimits: { 'openai-chat': chatMaxTokens },
};
