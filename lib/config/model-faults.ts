import { parseCidr } from './cidr.ts';
import type { ConfigFault } from './config-error.ts';
import { duplicateFaults } from './duplicate-faults.ts';
import { formatPath } from './json-path.ts';
import { type Placed, placedField, placedItems } from './placed.ts';
import { textFault } from './text-fault.ts';

/** What an alias leaves to the models behind it. */
const OF_DIRECT_MODELS = [
  'provider',
  'model_name',
  'provider_key_id',
  'provider_key',
  'cooldown',
  'background_model_check',
  'retries',
  'cost',
];

const NAMED_SOURCES: ReadonlySet<unknown> = new Set(['header', 'cookie']);
const NAMELESS_SOURCES: ReadonlySet<unknown> = new Set(['api_key', 'client_ip']);

/** A fault for each text of a list that has a flaw. */
function cidrFaults({ path, object: { allowed_cidrs: list } }: Placed): readonly ConfigFault[] {
  if (!Array.isArray(list)) return [];
  const flaw = 'must be a network such as "10.0.0.0/8" or an address';
  return list.flatMap((item: unknown, index) =>
    textFault(item, [...path, 'allowed_cidrs', index], (text) =>
      text === '' || parseCidr(text) !== undefined ? undefined : flaw,
    ),
  );
}

/** It may stand in a URL, which has no such characters (WHATWG URL, percent-encoding). */
function upstreamNameFaults({ path, object: { model_name } }: Placed): readonly ConfigFault[] {
  return textFault(model_name, [...path, 'model_name'], (text) =>
    /\p{Surrogate}/u.test(text) ? 'must hold whole characters: a surrogate stands alone in it' : undefined,
  );
}

function shapeFaults({ path, object }: Placed): readonly ConfigFault[] {
  return OF_DIRECT_MODELS.filter((field) => object[field] !== undefined).map((field) => ({
    path: formatPath([...path, field]),
    message: 'cannot stand beside "routing": it belongs to the models behind this name',
  }));
}

function hashSourceFaults({ path, object: { type, name } }: Placed): readonly ConfigFault[] {
  const place = formatPath([...path, 'name']);
  if (NAMED_SOURCES.has(type) && name === undefined) {
    return [{ path: place, message: `is missing, must be the name of the ${type}` }];
  }
  if (NAMELESS_SOURCES.has(type) && name !== undefined) {
    return [{ path: place, message: `is not allowed for the type "${type}"` }];
  }
  return [];
}

function modernise(policy: unknown): unknown {
  return policy === 'original_order' ? 'try_anyway' : policy;
}

function policyFaults({ path, object }: Placed): readonly ConfigFault[] {
  const { on_all_filtered: old, when_all_unavailable: policy } = object;
  if (old === undefined || policy === undefined || modernise(old) === modernise(policy)) return [];
  const message = 'differs from when_all_unavailable, which is another name of it';
  return [{ path: formatPath([...path, 'on_all_filtered']), message }];
}

function routingFaults(routing: Placed): readonly ConfigFault[] {
  return [
    ...policyFaults(routing),
    ...duplicateFaults(placedItems(routing.object, 'targets', routing.path), 'model'),
    ...placedItems(routing.object, 'hash_on', routing.path).flatMap(hashSourceFaults),
  ];
}

/** What is wrong with one model beyond what its schema says, other resources left out. */
export function modelFaults(model: Placed): readonly ConfigFault[] {
  return [
    ...(model.object.routing === undefined ? [] : shapeFaults(model)),
    ...placedField(model, 'routing').flatMap(routingFaults),
    ...cidrFaults(model),
    ...upstreamNameFaults(model),
  ];
}
