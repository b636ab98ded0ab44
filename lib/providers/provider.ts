import type { ProtocolName } from '../protocols/protocol.ts';

/** The field that bounds an answer's length, and the spellings that would contradict it. */
export interface OutputLimit {
  readonly field: string;
  readonly rivals: readonly string[];
}

/** A vendor as data. What none of these fields can say is a function in the provider's own file. */
export interface Provider {
  /** Where its API lives; without one, every instance needs `override.endpoint`. */
  readonly origin?: string;
  /** The protocols it speaks, and where. */
  readonly paths: Readonly<Partial<Record<ProtocolName, string>>>;
  /** What `override.llm_options.max_tokens` is called in each protocol. */
  readonly outputLimits: Readonly<Partial<Record<ProtocolName, OutputLimit>>>;
  /** Members of the body that the API refuses. */
  readonly dropsMembers?: readonly string[];
}

/** Chat's own name for the limit, and the older one that most providers still go by. */
export const chatMaxCompletionTokens: OutputLimit = {
  field: 'max_completion_tokens',
  rivals: ['max_tokens'],
};
export const chatMaxTokens: OutputLimit = { field: 'max_tokens', rivals: ['max_completion_tokens'] };
export const responsesMaxOutputTokens: OutputLimit = { field: 'max_output_tokens', rivals: [] };
export const messagesMaxTokens: OutputLimit = { field: 'max_tokens', rivals: [] };
