import type { Ending, Exchange } from './exchange.ts';
import type { Consumption } from './quota.ts';

/** Whether the LLM has been at work on this for nothing that it reported. */
function isOwing({ current, protocol }: Exchange, ending: Ending): boolean {
  if (current === undefined) return false;
  const { status, streams, wasSent } = current;
  if (status === undefined) return ending === 'client_gone' && wasSent && protocol.name !== 'passthrough';
  // Of what is merely passed on, only streams are sure to be generated text.
  return status >= 200 && status < 300 && (streams || protocol.name !== 'passthrough');
}

function reportedBy({ tally }: Exchange): Consumption | undefined {
  if (tally?.usage === undefined || tally.rawUsage === undefined) return undefined;
  return { source: 'reported', usage: tally.usage, rawUsage: tally.rawUsage };
}

function estimatedFor(exchange: Exchange, ending: Ending): Consumption | undefined {
  const { estimate, protocol, document, current } = exchange;
  if (estimate === undefined || current === undefined || !isOwing(exchange, ending)) return undefined;
  estimate.notePrompt(document, protocol);
  return estimate.consumption(current.bytes, protocol, current.streams);
}

/** A report whose answer's length is not the last word. */
function withCompletion({ usage, rawUsage }: Consumption, completionTokens: number): Consumption {
  const totalTokens = usage.promptTokens + completionTokens;
  return {
    source: 'estimated',
    usage: { ...usage, completionTokens, totalTokens },
    rawUsage: {
      ...rawUsage,
      completion_tokens: completionTokens,
      output_tokens: completionTokens,
      total_tokens: totalTokens,
    },
  };
}

function consumptionOf(exchange: Exchange, ending: Ending): Consumption | undefined {
  const reported = reportedBy(exchange);
  // Asking for a stored answer again uses nothing up, whatever it says of its making.
  if (exchange.protocol.name === 'passthrough' && exchange.req.method !== 'POST') return undefined;
  const isFinal = ending === 'complete' || !exchange.protocol.reportsEarly || !exchange.streams;
  if (reported !== undefined && isFinal) return reported;
  const estimated = estimatedFor(exchange, ending);
  // Anthropic's streams begin with a report of one token or so: whoever leaves before the end has had more.
  if (reported === undefined || estimated === undefined) return reported ?? estimated;
  return estimated.usage.completionTokens > reported.usage.completionTokens
    ? withCompletion(reported, estimated.usage.completionTokens)
    : reported;
}

/** What the instance has come to by this request. A consumer's own quota is nobody else's business. */
function noteStats({ instance, consumption, quota, admission }: Exchange): void {
  if (instance === undefined) return;
  const { stats } = instance;
  if (consumption !== undefined) stats.countTokens(consumption.usage);
  if (quota !== undefined && admission?.consumerLimiter === undefined)
    stats.noteQuota(quota.left(instance.name));
}

/** Finds out what a request has used up in the end, and charges the instance that answered. */
export function settleQuota(exchange: Exchange, ending: Ending): void {
  exchange.consumption = consumptionOf(exchange, ending);
  exchange.quota?.settle(exchange.instance?.name, exchange.consumption);
  noteStats(exchange);
}
