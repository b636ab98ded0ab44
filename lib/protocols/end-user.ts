import { type JsonDocument, readSmallMember } from '../request/json-document.ts';

/** OpenAI's two fields for the person behind a request; `safety_identifier` replaces `user`. */
export function openaiEndUser(document: JsonDocument): string | undefined {
  const identifier = readSmallMember(document, 'safety_identifier') ?? readSmallMember(document, 'user');
  return typeof identifier === 'string' ? identifier : undefined;
}
