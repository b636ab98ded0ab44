import { answerError } from '../answer/answer-error.ts';
import type { GatewayError } from '../answer/gateway-error.ts';
import { Relay } from '../answer/relay.ts';
import { quotaHeaders } from '../answer/spent-instances.ts';
import type { Exchange } from '../exchange.ts';
import type { Logger } from '../host.ts';
import type { JsonObject } from '../protocols/json.ts';
import type { Attempt } from '../upstream/attempt.ts';
import { discard } from '../upstream/discard.ts';
import type { AnswerHead } from '../upstream/outcome.ts';
import { retryAfterMs } from '../upstream/retry-after.ts';
import type { Try } from '../upstream/try.ts';
import type { ServedModel } from './compile-model.ts';
import { clientErrorAnswer, failureAnswer, serverErrorAnswer } from './failure-answer.ts';
import { readFailedAnswer } from './read-failed-answer.ts';
import { responseHeaders } from './response-headers.ts';
import type { RouterHost } from './router-host.ts';

/** What a request is presented by. */
export interface Presented {
  readonly model: ServedModel;
  readonly callId: string;
  readonly host: RouterHost;
  /** Whether nothing was left that could have mended the failure. */
  readonly isExhausted: boolean;
}

/** What the upstream says of a client's error; it is not listened to any longer. */
async function readError(attempt: Attempt): Promise<JsonObject | undefined> {
  if (!attempt.streams) return readFailedAnswer(attempt);
  attempt.abort();
  return attempt.error;
}

/** Whoever may come again later is told when, as the upstream has it. */
function retryAfterSeconds(status: number, { headers }: AnswerHead): number | undefined {
  const waitMs = status === 429 ? retryAfterMs(headers, Date.now()) : undefined;
  return waitMs === undefined ? undefined : Math.ceil(waitMs / 1000);
}

async function errorFor({ outcome, attempt }: Try, logger: Logger): Promise<GatewayError> {
  if (outcome.kind !== 'answered') return failureAnswer(outcome);
  const { status, head } = outcome;
  if (status >= 500 || attempt === undefined) {
    if (attempt !== undefined)
      discard(attempt, status, logger, 'an instance failed; its failure is the answer');
    return serverErrorAnswer(status);
  }
  const said = await readError(attempt);
  return clientErrorAnswer(status, said, attempt.secrets, retryAfterSeconds(status, head));
}

async function presentFailure(
  exchange: Exchange,
  tried: Try,
  { isExhausted, host }: Presented,
): Promise<void> {
  const error = await errorFor(tried, host.logger);
  const headers = quotaHeaders(exchange, tried.instance);
  // SDKs would otherwise repeat, each time, all the tries that have just failed.
  if (isExhausted) headers['x-should-retry'] = 'false';
  answerError(exchange, error, headers);
}

/** Answers the caller with what came of the last try, under the model's name that was asked for. */
export function presentRouted(exchange: Exchange, tried: Try, presented: Presented): void | Promise<void> {
  const { outcome, attempt, instance } = tried;
  const { model, callId, host } = presented;
  if (outcome.kind !== 'answered' || outcome.status >= 400 || attempt === undefined) {
    return presentFailure(exchange, tried, presented);
  }
  const errorHeaders = quotaHeaders(exchange, instance);
  const extraHeaders = {
    ...errorHeaders,
    ...responseHeaders(exchange, { model, status: outcome.status, servedBy: instance.name, callId }, host),
  };
  const { rename } = model.presentation(exchange.protocol);
  new Relay(exchange, attempt, outcome.head, {
    extraHeaders,
    errorHeaders,
    errorFor: failureAnswer,
    rename,
    endsAtError: true,
  }).start();
}
