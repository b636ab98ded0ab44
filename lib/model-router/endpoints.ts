import type { IncomingMessage } from 'node:http';
import { pathOf } from '../request/variables.ts';

/** What a request for one of the paths below the mount point asks for. */
export type Endpoint =
  | { readonly kind: 'generation'; readonly takesAliases: boolean }
  | { readonly kind: 'list' }
  | { readonly kind: 'model'; readonly name: string }
  | { readonly kind: 'status' };

/** By path; `true` where an alias may be asked for, which then has to be one model to all its targets. */
const GENERATIONS: ReadonlyMap<string, boolean> = new Map([
  ['/v1/chat/completions', true],
  ['/v1/messages', true],
  ['/v1/messages/count_tokens', true],
  ['/v1/responses', true],
  ['/v1/embeddings', false],
  ['/v1/completions', false],
  ['/v1/moderations', false],
  ['/v1/images/generations', false],
  ['/v1/audio/speech', false],
]);

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A malformed escape is nobody's name.
    return undefined;
  }
}

function reading(path: string): Endpoint | undefined {
  if (path === '/v1/models') return { kind: 'list' };
  if (path === '/status/models') return { kind: 'status' };
  if (!path.startsWith('/v1/models/')) return undefined;
  const name = decode(path.slice('/v1/models/'.length));
  return name === undefined ? undefined : { kind: 'model', name };
}

/** `undefined` for what is none of the router's business. */
export function endpointOf({ method, url = '/' }: IncomingMessage): Endpoint | undefined {
  const path = pathOf(url).replace(/(?<=.)\/$/, '');
  if (method === 'GET' || method === 'HEAD') return reading(path);
  const takesAliases = method === 'POST' ? GENERATIONS.get(path) : undefined;
  return takesAliases === undefined ? undefined : { kind: 'generation', takesAliases };
}
