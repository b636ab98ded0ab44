import type { Exchange } from '../exchange.ts';
import { GatewayError } from './gateway-error.ts';
import { spentInstances } from './spent-instances.ts';

/** Seconds after which asking again may help, where nothing says better. */
const RETRY_AFTER_SECONDS = 10;

/** Why nothing could be tried at all. */
export function noInstance(exchange: Exchange): GatewayError {
  const { plan, protocol, quota } = exchange;
  const spent = spentInstances(exchange);
  if (quota !== undefined && spent.length > 0) return quota.rejection(spent);
  const spoken = new Set(plan.instances.flatMap((instance) => [...instance.routes.keys()]));
  if (spoken.size > 0 && !spoken.has(protocol.name)) {
    const names = [...spoken].filter((name) => name !== 'passthrough').join(', ');
    return new GatewayError(
      400,
      'protocol_not_supported',
      `No instance speaks ${protocol.name}. The instances speak: ${names}.`,
    );
  }
  return new GatewayError(503, 'no_instance_available', 'No LLM service is available now.', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
