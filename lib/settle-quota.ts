import type { Ending, Exchange } from './exchange.ts';
import type { Consumption } from './quota.ts';

/** Whether the LLM has been at work on this for nothing that it reported. */
function isOwing({ current, protocol }: Exchange, ending: Ending): boolean {
  if (current === undefined || protocol.name === 'passthrough') return false;
  const { status } = current;
  return status === undefined ? ending === 'client_gone' : status >= 200 && status < 300;
}

function consumptionOf(exchange: Exchange, ending: Ending): Consumption | undefined {
  const { tally, estimate, protocol, document, current, streams } = exchange;
  if (tally?.usage !== undefined && tally.rawUsage !== undefined) {
    return { source: 'reported', usage: tally.usage, rawUsage: tally.rawUsage };
  }
  if (estimate === undefined || !isOwing(exchange, ending)) return undefined;
  estimate.notePrompt(document, protocol);
  return estimate.consumption(current?.bytes ?? 0, protocol, streams);
}

/** What the instance has come to by this request. A consumer's own quota is nobody else's business. */
function noteStats({ instance, consumption, quota, admission }: Exchange): void {
  if (instance === undefined) return;
  const { stats } = instance;
  if (consumption !== undefined) stats.countTokens(consumption.usage);
  if (quota !== undefined && admission?.consumerLimiter === undefined)
    stats.quota = quota.left(instance.name);
}

/** Finds out what a request has used up in the end, and charges the instance that answered. */
export function settleQuota(exchange: Exchange, ending: Ending): void {
  exchange.consumption = consumptionOf(exchange, ending);
  exchange.quota?.settle(exchange.instance?.name, exchange.consumption);
  noteStats(exchange);
}
