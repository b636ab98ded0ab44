import { anthropicMessages } from './anthropic-messages.ts';
import { bedrockConverse } from './bedrock-converse.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import { openaiResponses } from './openai-responses.ts';
import { passthrough } from './passthrough.ts';
import type { Protocol, ProtocolName } from './protocol.ts';

export const protocols = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'openai-embeddings': openaiEmbeddings,
  'anthropic-messages': anthropicMessages,
  'bedrock-converse': bedrockConverse,
  passthrough,
} satisfies Record<ProtocolName, Protocol>;
