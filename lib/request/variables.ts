import type { IncomingMessage } from 'node:http';
import { isObject } from '../protocols/json.ts';
import { resolvePath } from './resolve-path.ts';
import { hostNames, splitTarget } from './split-target.ts';

/** Where variables come from beside the request itself. */
export interface Variables {
  /** `host.vars`. */
  readonly custom: ((name: string, req: IncomingMessage) => string | undefined) | undefined;
  /** `res.locals`, which holds the consumer. */
  readonly locals: Readonly<Record<string, unknown>>;
}

/** The target as the client sent it: Express shortens `req.url` below a mount point. */
export function originalUrl(req: IncomingMessage): string {
  return 'originalUrl' in req && typeof req.originalUrl === 'string' ? req.originalUrl : (req.url ?? '/');
}

export function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function queryOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? '' : url.slice(query + 1);
}

/** `req.ip` honours Express's `trust proxy`; without Express, the socket's own address. */
export function clientAddress(req: IncomingMessage): string {
  const ip = 'ip' in req && typeof req.ip === 'string' ? req.ip : undefined;
  return ip ?? req.socket.remoteAddress ?? '';
}

function header(req: IncomingMessage, name: string): string {
  const value = req.headers[name.toLowerCase().replaceAll('_', '-')];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

function cookie(req: IncomingMessage, name: string): string {
  for (const pair of (req.headers.cookie ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return '';
}

function consumerName(locals: Readonly<Record<string, unknown>>): string {
  const { consumer } = locals;
  return isObject(consumer) && typeof consumer.username === 'string' ? consumer.username : '';
}

/** Normalised, or one path would be many to whoever counts by it. */
function uri(req: IncomingMessage): string {
  const path = pathOf(splitTarget(originalUrl(req)).path);
  return resolvePath(path) ?? path;
}

/** nginx leaves the port out. */
function host(req: IncomingMessage): string {
  return hostNames(splitTarget(originalUrl(req)).authority ?? header(req, 'host'))[0];
}

/** By nginx's and APISIX's names (nginx.org/en/docs/varindex.html). */
const READERS = new Map<string, (req: IncomingMessage, variables: Variables) => string>([
  ['remote_addr', clientAddress],
  ['uri', uri],
  ['request_uri', (req) => splitTarget(originalUrl(req)).path],
  ['query_string', (req) => queryOf(originalUrl(req))],
  ['args', (req) => queryOf(originalUrl(req))],
  ['host', host],
  ['request_method', (req) => req.method ?? ''],
  ['server_port', (req) => String(req.socket.localPort ?? '')],
  ['consumer_name', (_req, variables) => consumerName(variables.locals)],
]);

/** The value of a variable such as `remote_addr`, `arg_tenant`, `http_x_user`; '' where there is none. */
export function readVariable(name: string, req: IncomingMessage, variables: Variables): string {
  const custom = variables.custom?.(name, req);
  if (custom !== undefined) return String(custom);
  const read = READERS.get(name);
  if (read !== undefined) return read(req, variables);
  if (name.startsWith('http_')) return header(req, name.slice(5));
  if (name.startsWith('cookie_')) return cookie(req, name.slice(7));
  if (name.startsWith('arg_')) return new URLSearchParams(queryOf(originalUrl(req))).get(name.slice(4)) ?? '';
  return '';
}
