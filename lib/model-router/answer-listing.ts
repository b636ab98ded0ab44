import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../answer/gateway-error.ts';
import { answerJson } from '../answer-json.ts';
import { openaiErrorAnswer } from '../protocols/openai-errors.ts';
import { localsOf } from '../response-locals.ts';
import { wireStatus } from './admin/wire-status.ts';
import { allowedModels } from './allowed-models.ts';
import { authenticate } from './authenticate.ts';
import { callIdOf } from './call-id.ts';
import type { Endpoint } from './endpoints.ts';
import { modelStatus } from './model-status.ts';
import { modelNotFound } from './refusals.ts';
import type { RouterTable } from './router-table.ts';

type Listing = Exclude<Endpoint, { kind: 'generation' }>;

function bodyOf(table: RouterTable, req: IncomingMessage, res: ServerResponse, endpoint: Listing): object {
  if (endpoint.kind === 'status') return modelStatus(table).map(wireStatus);
  const caller = table.callers && authenticate(table.callers, req.headers);
  const list = table.list(allowedModels(caller, localsOf(res)));
  if (endpoint.kind === 'list') return list;
  const model = list.data.find(({ id }) => id === endpoint.name);
  if (model === undefined) throw modelNotFound(endpoint.name);
  return model;
}

/** Answers a request for what there is, which no model has to be asked for. */
export function answerListing(
  table: RouterTable,
  req: IncomingMessage,
  res: ServerResponse,
  endpoint: Listing,
): void {
  const { requestIdHeader } = table.host;
  const headers: Record<string, string> =
    requestIdHeader === undefined ? {} : { [requestIdHeader]: callIdOf(req.headers, requestIdHeader) };
  try {
    answerJson(req, res, 200, bodyOf(table, req, res, endpoint), headers);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    answerJson(req, res, error.status, openaiErrorAnswer(error), headers);
  }
}
