import type { LoadedDirectModel, LoadedProviderKey } from '../config/loaded-model-router.ts';
import type { SecretStore } from '../config/references.ts';
import type { Instance, Route } from '../plan.ts';
import { protocols } from '../protocols/index.ts';
import type { Protocol, ProtocolName } from '../protocols/protocol.ts';
import { instanceMetrics } from '../stats/instance-metrics.ts';
import { InstanceStats } from '../stats/instance-stats.ts';
import { Cooldown } from '../upstream/cooldown.ts';
import { DecodedStreams } from '../upstream/decoded-streams.ts';
import { removeMember, setMember } from '../upstream/edit-document.ts';
import { HttpProxyTransport } from '../upstream/http-proxy-transport.ts';
import { type AdapterTraits, adapters } from './adapters.ts';
import { bodyAdjuster } from './adjust-body.ts';
import { headerFilter } from './header-patterns.ts';
import { plainHeaders, secretHeaders } from './key-headers.ts';
import { keyQuery } from './key-query.ts';
import { targetCredentials } from './target-credentials.ts';

/** For a target without an address, to which nothing is ever sent (RFC 2606 §2). */
const NOWHERE = 'http://unconfigured.invalid';

const KEEPALIVE_TIMEOUT_MS = 60_000;
const KEEPALIVE_POOL = 30;

function routesOf(
  { upstreamModel, providerKey }: LoadedDirectModel,
  traits: AdapterTraits,
  root: string,
  secrets: SecretStore,
): ReadonlyMap<ProtocolName, Route> {
  const routes = new Map<ProtocolName, Route>();
  const removals = new Set(traits.dropsMembers);
  const edits = removals.has('model') ? [removeMember('model')] : [setMember('model', upstreamModel)];
  const adjust = bodyAdjuster(providerKey.request, edits);
  const rules = {
    overwrites: new Map([['model', upstreamModel]]),
    removals,
    merge: {},
    mergeWins: false,
    edits,
    ...(adjust !== undefined && { adjust }),
  };
  const add = (protocol: Protocol, path: string | undefined): void => {
    const key = protocol.name === 'openai-chat' ? traits.chatKey : traits.key;
    const credentials = targetCredentials(providerKey, key, secrets);
    routes.set(protocol.name, { protocol, path, base: root + traits.base, rules, credentials });
  };
  for (const protocol of Object.values(protocols)) {
    const suffix = traits.suffixes[protocol.name];
    if (suffix === undefined) continue;
    add(protocol, root + suffix.replace('{model}', encodeURIComponent(upstreamModel)));
  }
  add(protocols.passthrough, undefined);
  return routes;
}

/** Without this header any coding may come (RFC 9110 §12.5.3), and in an encoded stream no model can be renamed. */
const AS_IT_IS = { 'accept-encoding': 'identity' };

/** The adapter's, but for those that the key has itself. */
function defaultHeadersOf(traits: AdapterTraits, key: LoadedProviderKey): Record<string, string> {
  const hidden = secretHeaders(key);
  const headers = Object.entries({ ...AS_IT_IS, ...traits.defaultHeaders, ...plainHeaders(key) });
  return Object.fromEntries(headers.filter(([name]) => !Object.hasOwn(hidden, name)));
}

/** What requests to one direct model are sent by. Its sockets open with the first of them. */
export function compileTarget(model: LoadedDirectModel, secrets: SecretStore): Instance {
  const { providerKey } = model;
  const traits: AdapterTraits = adapters[providerKey.adapter];
  const root = new URL(providerKey.apiBase ?? NOWHERE);
  const stats = new InstanceStats();
  return {
    name: model.name,
    provider: model.provider,
    priority: 0,
    weight: 1,
    model: model.upstreamModel,
    host: root.host,
    query: keyQuery(providerKey.query).plain,
    routes: routesOf(model, traits, root.pathname.replace(/\/$/, ''), secrets),
    credentials: targetCredentials(providerKey, traits.key, secrets),
    takesHeader: headerFilter(
      [...traits.clientHeaders, ...providerKey.request.forwardClientHeaders],
      providerKey.stripHeaders,
    ),
    defaultHeaders: defaultHeadersOf(traits, providerKey),
    yieldingHeaders: new Set(Object.keys(secretHeaders(providerKey))),
    transport: new DecodedStreams(
      new HttpProxyTransport(root, {
        keepalive: true,
        keepaliveTimeoutMs: KEEPALIVE_TIMEOUT_MS,
        keepalivePool: KEEPALIVE_POOL,
        verifyCertificate: providerKey.verifyCertificate,
        caCertificate: providerKey.caCertificate,
        addresses: undefined,
      }),
    ),
    stats,
    metrics: instanceMetrics(stats, model.price),
    health: undefined,
    cooldown: model.cooldown === undefined ? undefined : new Cooldown(model.cooldown),
  };
}
