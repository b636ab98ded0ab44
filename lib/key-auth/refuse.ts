import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson } from '../answer-json.ts';

/** Answers 401 in Apache APISIX's words. */
export function refuse(req: IncomingMessage, res: ServerResponse, realm: string, message: string): void {
  answerJson(req, res, 401, { message }, { 'www-authenticate': `apikey realm="${realm}"` });
}
