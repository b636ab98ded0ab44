import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { copyJson } from '../../config/copy-json.ts';
import { isJsonObject, type JsonObject } from '../../config/json.ts';
import { readBody } from '../../request/read-body.ts';
import { AdminError, sentenceOf } from './admin-error.ts';

const LIMITS = { maxBytes: 1024 * 1024, timeoutMs: 30_000 } as const;

function parse(bytes: Buffer): unknown {
  try {
    if (isUtf8(bytes)) return JSON.parse(bytes.toString());
  } catch {
    // The parser's own message quotes the body, which may hold a secret.
  }
  throw new AdminError(400, 'The body is not JSON.');
}

/**
 * The resource that a request carries. Its objects have no prototype, so that no name in them reaches one.
 *
 * @throws AdminError 400 where the body is no JSON object, or holds `__proto__` or an `id`
 * @throws GatewayError what `readBody` throws; 413 beyond 1 MiB
 */
export async function readResource(req: IncomingMessage): Promise<JsonObject> {
  const bytes = await readBody(req, LIMITS);
  const { value, faults } = copyJson(parse(bytes ?? Buffer.alloc(0)));
  if (faults.length > 0) throw new AdminError(400, sentenceOf(faults));
  if (!isJsonObject(value)) throw new AdminError(400, 'The body must be a JSON object.');
  if ('id' in value) throw new AdminError(400, 'id: is made by the server');
  return value;
}
