import { aimlapi } from './aimlapi.ts';
import { anthropic } from './anthropic.ts';
import { azureOpenai } from './azure-openai.ts';
import { deepseek } from './deepseek.ts';
import { gemini } from './gemini.ts';
import { openai } from './openai.ts';
import { openaiCompatible } from './openai-compatible.ts';
import { openrouter } from './openrouter.ts';
import type { Provider } from './provider.ts';

/** By the word the configuration uses. */
export const providers = {
  openai,
  deepseek,
  aimlapi,
  anthropic,
  'openai-compatible': openaiCompatible,
  'azure-openai': azureOpenai,
  openrouter,
  gemini,
} satisfies Record<string, Provider>;
