import type { GatewayError } from '../answer/gateway-error.ts';
import type { JsonObject } from './json.ts';

/** OpenAI's `type` for a status (platform.openai.com/docs/guides/error-codes). */
function errorType(status: number): string {
  if (status === 429) return 'rate_limit_error';
  if (status >= 500) return 'server_error';
  return 'invalid_request_error';
}

export function openaiErrorAnswer(error: GatewayError): JsonObject {
  return {
    error: {
      message: error.message,
      type: error.type ?? errorType(error.status),
      param: null,
      code: error.code,
    },
  };
}

export function openaiErrorEvent(error: GatewayError): string {
  return `event: error\ndata: ${JSON.stringify(openaiErrorAnswer(error))}\n\n`;
}
