import { chatMaxTokens, type Provider } from './provider.ts';

export const deepseek: Provider = {
  origin: 'https://api.deepseek.com',
  paths: { 'openai-chat': '/chat/completions' },
  outputLimits: { 'openai-chat': chatMaxTokens },
};
