import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import { duplicateFaults } from './duplicate-faults.ts';
import { formatPath, type JsonPath } from './json-path.ts';
import { isNumberOrTemplate } from './number-or-template.ts';
import { type Placed, placedItems } from './placed.ts';
import { isRedisHost, parseRedisAddress } from './redis-address.ts';

const NUMBER = 'must be a whole number above 0, or text with variables such as "$http_x_limit"';
const HOST = 'must be a host name or an address and nothing else';
const NODE = 'must be "host:port", such as "10.0.0.1:6379"';

/** A fault if there is text that a check refuses; what is no text the schema complains about. */
function textFault(
  value: unknown,
  path: JsonPath,
  isFine: (text: string) => boolean,
  message: string,
): readonly ConfigFault[] {
  if (typeof value !== 'string' || isFine(value)) return [];
  return [{ path: formatPath(path), message: `is ${describeValue(value, path)}, ${message}` }];
}

function numberFaults({ path, object }: Placed, fields: readonly string[]): readonly ConfigFault[] {
  return fields.flatMap((field) => textFault(object[field], [...path, field], isNumberOrTemplate, NUMBER));
}

function hostFaults({ path, object }: Placed, field: string): readonly ConfigFault[] {
  return textFault(object[field], [...path, field], isRedisHost, HOST);
}

function nodeFaults(nodes: unknown): readonly ConfigFault[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: unknown, index) =>
    textFault(node, ['redis_cluster_nodes', index], (text) => parseRedisAddress(text) !== undefined, NODE),
  );
}

/** The faults of the store that is chosen: as in APISIX, the fields of another one may hold anything. */
function storeFaults(whole: Placed): readonly ConfigFault[] {
  switch (whole.object.policy) {
    case 'redis':
      return hostFaults(whole, 'redis_host');
    case 'redis-cluster':
      return nodeFaults(whole.object.redis_cluster_nodes);
    case 'redis-sentinel':
      return placedItems(whole.object, 'redis_sentinels').flatMap((item) => hostFaults(item, 'host'));
    default:
      return [];
  }
}

/** What is wrong with an ai-rate-limiting configuration beyond what its schema says, `cost_expr` left out. */
export function rateLimitingFaults(whole: Placed): readonly ConfigFault[] {
  const instances = placedItems(whole.object, 'instances');
  const rules = placedItems(whole.object, 'rules');
  return [
    ...numberFaults(whole, ['limit', 'time_window']),
    ...instances.flatMap((instance) => numberFaults(instance, ['limit', 'time_window'])),
    ...rules.flatMap((rule) => numberFaults(rule, ['count', 'time_window'])),
    ...duplicateFaults(instances, 'name'),
    // The counter of a rule goes by its key alone, so that two would charge the same one.
    ...duplicateFaults(rules, 'key'),
    ...storeFaults(whole),
  ];
}
