import { chatMaxTokens, type Provider } from './provider.ts';

/** The deployment in the endpoint's path says which model answers; a `model` in the body is refused. */
export const azureOpenai: Provider = {
  paths: { 'openai-chat': '/completions' },
  outputLimits: { 'openai-chat': chatMaxTokens },
  dropsMembers: ['model'],
};
