import type { IncomingMessage } from 'node:http';
import type { LoadedKeyAuth } from '../config/loaded-key-auth.ts';
import { isObject } from '../protocols/json.ts';
import { withoutParameters } from '../upstream/query-parameters.ts';

function hideHeader(req: IncomingMessage, header: string): void {
  delete req.headers[header];
  // Node makes this one when it is first read, from as many raw headers as there once were, and throws where there
  // are fewer: so it has to be made before they are.
  delete req.headersDistinct[header];
  const { rawHeaders } = req;
  req.rawHeaders = rawHeaders.filter((_, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== header);
}

function hideParameter(req: IncomingMessage, query: string): void {
  const names = [query];
  if (req.url !== undefined) req.url = withoutParameters(req.url, names);
  if ('originalUrl' in req && typeof req.originalUrl === 'string') {
    Object.assign(req, { originalUrl: withoutParameters(req.originalUrl, names) });
  }
  // Express 4 has parsed it before; Express 5 does so whenever it is asked.
  if (Object.hasOwn(req, 'query') && 'query' in req && isObject(req.query)) {
    Reflect.deleteProperty(req.query, query);
  }
}

/** Takes the places where a key could stand out of the request. Nothing behind sees it, access logs included. */
export function hideCredentials(req: IncomingMessage, { header, query }: LoadedKeyAuth): void {
  hideHeader(req, header);
  hideParameter(req, query);
}
