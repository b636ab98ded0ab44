import { UsageEstimate } from '../answer/usage-estimate.ts';
import type { LoadedCaller } from '../config/loaded-model-router.ts';
import type { Exchange, ServingPlan } from '../exchange.ts';
import type { AttemptRules, Instance, Plan, Verdict } from '../plan.ts';
import { countElements, readSmallMember } from '../request/json-document.ts';
import { clientAddress } from '../request/variables.ts';
import { allowedModels } from './allowed-models.ts';
import { authenticate } from './authenticate.ts';
import { callIdOf } from './call-id.ts';
import type { ServedModel } from './compile-model.ts';
import { MeteredQuota } from './metered-quota.ts';
import { quotedName } from './quoted-name.ts';
import { invalidRequest, ipRestricted, modelNotFound, rateLimited, refusal } from './refusals.ts';
import { RoutedRequest } from './routed-request.ts';
import type { RouterTable } from './router-table.ts';
import type { UsageMeter } from './usage-limits.ts';

function nothingToTry(): never {
  throw new TypeError('A request was to be served before its model was known');
}

function requestedModel({ document }: Exchange): string {
  const name = document === undefined ? undefined : readSmallMember(document, 'model');
  if (typeof name === 'string' && name !== '') return name;
  throw invalidRequest('The body must name a "model".');
}

function checkMessages({ document, protocol }: Exchange): void {
  if (document === undefined || protocol.contentMember !== 'messages') return;
  if (countElements(document, 'messages') > 0) return;
  throw invalidRequest('"messages" must be a list that is not empty.');
}

/** A model that cannot take requests for such an endpoint is as good as none. */
function findModel(table: RouterTable, name: string, takesAliases: boolean): ServedModel {
  const model = table.models.get(name);
  if (model === undefined) throw modelNotFound(name);
  if (model.isAlias && !takesAliases) {
    throw invalidRequest(`${quotedName(name)} routes to other models, which this endpoint does not take.`);
  }
  return model;
}

/** All limits are looked at before anything is counted. */
function checkLimits(meters: readonly (UsageMeter | undefined)[]): void {
  const nowMs = Date.now();
  const waitMs = Math.max(...meters.map((meter) => meter?.waitMs(nowMs) ?? 0));
  if (waitMs > 0) throw rateLimited(waitMs);
}

/** Whether an address may use a model, and one of its targets at least. */
function mayCome({ addresses, seats }: ServedModel, address: string): boolean {
  if (addresses?.includes(address) === false) return false;
  for (const { target } of seats.values()) if (target.addresses?.includes(address) !== false) return true;
  return false;
}

/** Counts a request. What it uses is charged when it has ended. */
function meter(exchange: Exchange, meters: readonly (UsageMeter | undefined)[]): MeteredQuota {
  const quota = new MeteredQuota(exchange.quota);
  for (const each of meters) quota.begin(each);
  exchange.quota = quota;
  exchange.estimate ??= new UsageEstimate();
  return quota;
}

/** What a request meets first: the plan that finds out who it is from and which model's plan is to serve it. */
export class Reception implements ServingPlan {
  readonly instances: readonly Instance[] = [];
  readonly names: readonly string[] = [];
  readonly whole = undefined;
  readonly limits: Plan['limits'];
  readonly logging: Plan['logging'];
  readonly withheldHeaders: Plan['withheldHeaders'];
  readonly injectedHeaders: Plan['injectedHeaders'];
  readonly priorities: Plan['priorities'];
  readonly #table: RouterTable;
  readonly #takesAliases: boolean;
  #caller: LoadedCaller | undefined;
  #callId = '';

  constructor(table: RouterTable, takesAliases: boolean) {
    const { shared } = table;
    this.#table = table;
    this.#takesAliases = takesAliases;
    this.limits = shared.limits;
    this.logging = shared.logging;
    this.withheldHeaders = shared.withheldHeaders;
    this.injectedHeaders = shared.injectedHeaders;
    this.priorities = shared.priorities;
  }

  admit({ req, res, locals }: Exchange): void {
    const { host, callers } = this.#table;
    const { requestIdHeader } = host;
    this.#callId = callIdOf(req.headers, requestIdHeader);
    locals.llm_call_id = this.#callId;
    if (requestIdHeader !== undefined && !res.headersSent) res.setHeader(requestIdHeader, this.#callId);
    if (callers === undefined) return;
    const caller = authenticate(callers, req.headers);
    this.#caller = caller;
    const { display_name: username = caller.id } = caller.labels;
    locals.consumer = { username, id: caller.id, ...caller.labels };
  }

  select(exchange: Exchange): ServingPlan {
    const { host, shared, callerMeters } = this.#table;
    const caller = this.#caller;
    const name = requestedModel(exchange);
    checkMessages(exchange);
    const model = findModel(this.#table, name, this.#takesAliases);
    if (!allowedModels(caller, exchange.locals)(name)) {
      throw refusal(403, 'permission_denied', `This key may not use the model ${quotedName(name)}.`);
    }
    if (!mayCome(model, clientAddress(exchange.req))) throw ipRestricted();
    const callerMeter = caller && callerMeters.get(caller.id)?.meter;
    checkLimits([callerMeter, model.meter]);
    const isLimited = callerMeter !== undefined || model.isLimited;
    const quota = isLimited ? meter(exchange, [callerMeter, model.meter]) : undefined;
    return new RoutedRequest({ exchange, model, caller, callId: this.#callId, quota, host, shared });
  }

  isForwarded(): boolean {
    return false;
  }

  next(): undefined {
    return undefined;
  }

  refusal(): undefined {
    return undefined;
  }

  refuse(): never {
    return nothingToTry();
  }

  attemptRules(): AttemptRules {
    return nothingToTry();
  }

  isFailure(): boolean {
    return false;
  }

  judge(): Verdict {
    return 'answer';
  }

  present(): void {}

  close(): void {}
}
