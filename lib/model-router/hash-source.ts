import type { IncomingMessage } from 'node:http';
import type { LoadedCaller, LoadedHashSource } from '../config/loaded-model-router.ts';
import { clientAddress, readVariable, type Variables } from '../request/variables.ts';

const NO_VARIABLES: Variables = { custom: undefined, locals: {} };

/** Not by `readVariable`, to which an underscore in a header's name is a hyphen. */
function readHeader(req: IncomingMessage, name: string): string {
  // A header may be called like a member of every object.
  const value: unknown = req.headers[name];
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : '';
}

function readSource({ type, name }: LoadedHashSource, req: IncomingMessage, caller?: LoadedCaller): string {
  switch (type) {
    case 'header':
      return name === undefined ? '' : readHeader(req, name);
    case 'cookie':
      return name === undefined ? '' : readVariable(`cookie_${name}`, req, NO_VARIABLES);
    case 'api_key':
      return caller?.id ?? '';
    case 'client_ip':
      return clientAddress(req);
  }
}

/**
 * What a request is hashed on: what the first source says that says anything, else the client's address, which is ''
 * once the connection is gone.
 *
 * @param caller `undefined` where callers are the host application's business
 */
export function readHashKey(
  sources: readonly LoadedHashSource[],
  req: IncomingMessage,
  caller: LoadedCaller | undefined,
): string {
  for (const source of sources) {
    const value = readSource(source, req, caller);
    if (value !== '') return value;
  }
  return clientAddress(req);
}
