import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../../answer/gateway-error.ts';
import { answerJson } from '../../answer-json.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { Logger } from '../../host.ts';
import { unexpectedError } from '../../unexpected-error.ts';
import { AdminError, sentenceOf } from './admin-error.ts';

/** On every answer of the admin API. */
export const NO_STORE = { 'cache-control': 'no-store' } as const;

interface Failure {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `undefined` for what nobody expects. */
function expectedFailure(error: unknown): Failure | undefined {
  if (error instanceof AdminError || error instanceof GatewayError) return error;
  if (error instanceof ConfigError) return { status: 400, message: sentenceOf(error.errors) };
  // Express says so of a path it cannot decode.
  if (error instanceof URIError) return { status: 400, message: 'The path cannot be decoded.' };
  return undefined;
}

/** Answers `{"error_msg": …}`. What nobody expects is logged, and answered without a word about it. */
export function answerFailure(
  req: IncomingMessage,
  res: ServerResponse,
  error: unknown,
  logger: Logger,
): void {
  const expected = expectedFailure(error);
  if (expected === undefined) logger.error(unexpectedError(error), 'the admin API failed');
  const { status, message, headers } = expected ?? {
    status: 500,
    message: 'The admin API failed; the configuration in force has not changed.',
  };
  answerJson(req, res, status, { error_msg: message }, { ...headers, ...NO_STORE });
}
