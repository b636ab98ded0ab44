import { openaiErrorAnswer } from './openai-errors.ts';
import { passthrough } from './passthrough.ts';
import type { Protocol } from './protocol.ts';

/**
 * Amazon Bedrock's Converse API. No provider here speaks it, so a request in it is recognised only to be
 * refused by name instead of being taken for chat.
 */
export const bedrockConverse: Protocol = {
  ...passthrough,
  name: 'bedrock-converse',
  contentMember: 'messages',
  errorAnswer: (error) => ({ message: error.message, ...openaiErrorAnswer(error) }),
};
