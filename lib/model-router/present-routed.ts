import { answerError } from '../answer/answer-error.ts';
import type { GatewayError } from '../answer/gateway-error.ts';
import { modelRename } from '../answer/model-name.ts';
import { Relay } from '../answer/relay.ts';
import { quotaHeaders } from '../answer/spent-instances.ts';
import type { Exchange } from '../exchange.ts';
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

async function errorFor({ outcome, attempt }: Try): Promise<GatewayError> {
  if (outcome.kind !== 'answered') return failureAnswer(outcome);
  const { status, head } = outcome;
  if (status >= 500 || attempt === undefined) {
    attempt?.abort();
    return serverErrorAnswer(status);
  }
  const waitMs = retryAfterMs(head.headers, Date.now());
  const retryAfterSeconds = waitMs === undefined ? undefined : Math.ceil(waitMs / 1000);
  // An error inside a stream has no body of its own to be read.
  const said = attempt.streams ? undefined : await readFailedAnswer(attempt);
  if (attempt.streams) attempt.abort();
  return clientErrorAnswer(status, said, attempt.secrets, retryAfterSeconds);
}

async function presentFailure(exchange: Exchange, tried: Try, { isExhausted }: Presented): Promise<void> {
  const error = await errorFor(tried);
  const headers = quotaHeaders(exchange, tried.instance);
  // SDKs would otherwise repeat, each time, all the tries that have just failed.
  if (isExhausted) headers['x-should-retry'] = 'false';
  answerError(exchange, error, headers);
}

/** Answers the caller with what came of the last try, under the model's name that was asked for. */
export function presentRouted(exchange: Exchange, tried: Try, presented: Presented): void {
  const { outcome, attempt, instance } = tried;
  const { model, callId, host } = presented;
  if (outcome.kind !== 'answered' || outcome.status >= 400 || attempt === undefined) {
    void presentFailure(exchange, tried, presented);
    return;
  }
  const extraHeaders = {
    ...quotaHeaders(exchange, instance),
    ...responseHeaders(exchange, model, instance.name, callId, host),
  };
  const rename = modelRename(exchange.protocol, model.name);
  new Relay(exchange, attempt, outcome.head, { extraHeaders, rename, endsAtError: true }).start();
}
