import { anthropicMessages } from './anthropic-messages.ts';
import { passthrough } from './passthrough.ts';
import type { Protocol } from './protocol.ts';

/**
 * What Anthropic has beside the messages themselves (`/v1/messages/count_tokens`, `/v1/messages/batches`,
 * platform.claude.com/docs/en/api): passed through like anything else, to clients that read Anthropic's errors.
 */
export const anthropicPassthrough: Protocol = {
  ...passthrough,
  errorAnswer: anthropicMessages.errorAnswer,
  errorEvent: anthropicMessages.errorEvent,
};
