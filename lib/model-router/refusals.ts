import { GatewayError, type GatewayErrorCode } from '../answer/gateway-error.ts';
import { quotedName } from './quoted-name.ts';

/** AISIX names what went wrong in the error's `type`; here the `code` says it too. */
export function refusal(
  status: number,
  type: GatewayErrorCode,
  message: string,
  { code = type, retryAfterSeconds }: { code?: GatewayErrorCode; retryAfterSeconds?: number } = {},
): GatewayError {
  return new GatewayError(status, code, message, {
    type,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

/** A request that cannot be served as it is. */
export function invalidRequest(message: string): GatewayError {
  return refusal(400, 'invalid_request_error', message);
}

export function modelNotFound(name: string): GatewayError {
  return refusal(404, 'model_not_found', `There is no model ${quotedName(name)}.`);
}

export function ipRestricted(): GatewayError {
  return refusal(403, 'permission_denied', 'This address may not use the model.', { code: 'ip_restricted' });
}

export function rateLimited(waitMs: number): GatewayError {
  return refusal(429, 'rate_limit_exceeded', 'The limit of this key or model has been reached.', {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  });
}
