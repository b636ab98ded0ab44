import type { LoadedActiveChecks } from '../config/loaded-config.ts';
import type { Logger } from '../host.ts';
import type { Credentials, ResolveCredentials } from '../upstream/credentials.ts';
import { HttpProbe } from './http-probe.ts';
import type { Probe } from './probe.ts';
import { statusRater } from './probe-outcome.ts';
import { countUnsendable, probeRequest } from './probe-request.ts';
import { timerMs } from './slots.ts';
import { TcpProbe } from './tcp-probe.ts';

/** What probes of one instance are made from. */
export interface Probed {
  /** The instance's. */
  readonly name: string;
  readonly endpoint: URL;
  readonly checks: LoadedActiveChecks;
  readonly credentials: ResolveCredentials;
}

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 };

function portOf({ checks, endpoint }: Probed): number {
  if (checks.port !== undefined) return checks.port;
  return Number(endpoint.port) || DEFAULT_PORTS[endpoint.protocol === 'https:' ? 'https:' : 'http:'];
}

/** For the `Host` header; the port that is probed is part of the name where it is not the usual one. */
function hostOf({ checks, endpoint }: Probed): string {
  if (checks.host !== undefined) return checks.host;
  if (checks.port === undefined) return endpoint.host;
  const isUsual = checks.port === DEFAULT_PORTS[checks.type === 'https' ? 'https:' : 'http:'];
  return isUsual ? endpoint.hostname : `${endpoint.hostname}:${checks.port}`;
}

/** The name to ask for in the handshake: without a port, and without the brackets of an IPv6 address. */
function tlsName({ checks, endpoint }: Probed): string {
  const host = checks.host ?? endpoint.hostname;
  return /^\[(.*)\](?::\d+)?$/.exec(host)?.[1] ?? host.replace(/^([^:]*):\d+$/, '$1');
}

/** The request's bytes are made once, and anew only for other credentials. */
function requestSource(
  { name, checks, credentials }: Probed,
  host: string,
  logger: Logger,
): () => Buffer | Promise<Buffer> {
  let last: { readonly credentials: Credentials; readonly bytes: Buffer } | undefined;
  let isFailing = false;

  function bytesWith(found: Credentials): Buffer {
    if (last?.credentials !== found) last = { credentials: found, bytes: probeRequest(checks, host, found) };
    return last.bytes;
  }

  async function bytesLater(finding: Promise<Credentials>): Promise<Buffer> {
    try {
      const found = await finding;
      isFailing = false;
      return bytesWith(found);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      if (!isFailing) logger.warn({ instance: name, reason }, 'a health check lacks its credentials');
      isFailing = true;
      throw error;
    }
  }

  return () => {
    const found = credentials();
    return found instanceof Promise ? bytesLater(found) : bytesWith(found);
  };
}

const noCredentials: Credentials = { headers: [], query: [], secrets: [] };

/** What goes to an https endpoint under encryption does not go there in the clear because of a probe. */
function withoutExposure(probed: Probed, logger: Logger): Probed {
  if (probed.checks.type === 'https' || probed.endpoint.protocol === 'http:') return probed;
  logger.warn(
    { instance: probed.name },
    'the endpoint is https, but its health check is plain http: it is sent without the credentials',
  );
  return { ...probed, credentials: () => noCredentials };
}

/** @returns what opens a probe of one address */
export function probeOpener(given: Probed, logger: Logger): (address: string) => Probe {
  const port = portOf(given);
  const { checks } = given;
  const timeoutMs = timerMs(checks.timeout);
  if (checks.type === 'tcp') return (address) => new TcpProbe({ address, port, timeoutMs });
  const probed = withoutExposure(given, logger);
  const unsendable = countUnsendable(checks.req_headers);
  if (unsendable > 0) {
    logger.warn({ instance: probed.name, count: unsendable }, 'lines of req_headers that cannot be sent');
  }
  const target = {
    port,
    timeoutMs,
    method: checks.http_method,
    tls:
      checks.type === 'https'
        ? { name: tlsName(probed), verifyCertificate: checks.https_verify_certificate }
        : undefined,
    request: requestSource(probed, hostOf(probed), logger),
    rate: statusRater(checks),
  };
  return (address) => new HttpProbe({ ...target, address });
}
