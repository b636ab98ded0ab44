import { chatMaxCompletionTokens, type Provider } from './provider.ts';

/** Google's OpenAI-compatible face (ai.google.dev/gemini-api/docs/openai). */
export const gemini: Provider = {
  origin: 'https://generativelanguage.googleapis.com',
  paths: { 'openai-chat': '/v1beta/openai/chat/completions' },
  outputLimits: { 'openai-chat': chatMaxCompletionTokens },
};
