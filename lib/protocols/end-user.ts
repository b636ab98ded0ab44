import { type JsonDocument, readMember } from '../request/json-document.ts';

/** OpenAI's two fields for the person behind a request; `safety_identifier` replaces `user`. */
export function openaiEndUser(document: JsonDocument): string | undefined {
  const identifier = readMember(document, 'safety_identifier') ?? readMember(document, 'user');
  return typeof identifier === 'string' ? identifier : undefined;
}
