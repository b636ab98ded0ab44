import { GatewayError, type GatewayErrorCode } from '../answer/gateway-error.ts';
import type { JsonObject } from '../protocols/json.ts';
import type { Failure } from '../upstream/outcome.ts';
import { redact } from '../upstream/redact.ts';
import { refusal } from './refusals.ts';

/** What an upstream says of a request is not worth more. */
const MAX_MESSAGE = 4096;

interface FailureMeaning {
  readonly status: number;
  readonly type: GatewayErrorCode;
  /** Without names of hosts, and nothing that Node said. */
  readonly message: string;
}

const transport: FailureMeaning = {
  status: 502,
  type: 'transport_error',
  message: 'The connection to the model failed.',
};

const FAILURES = {
  'timed-out': { status: 504, type: 'timeout', message: 'The model did not answer in time.' },
  refused: transport,
  reset: transport,
  invalid: transport,
  undecodable: { status: 502, type: 'upstream_decode_error', message: "The model's answer cannot be read." },
  'no-credentials': {
    status: 400,
    type: 'invalid_request_error',
    message: 'The provider key of the model has no secret that could be sent, or no address.',
  },
  'unresolved-credentials': {
    status: 502,
    type: 'credentials_unavailable',
    message: 'The secret of the provider key of the model cannot be had at the moment.',
  },
  'too-large': { status: 502, type: 'response_too_large', message: "The model's answer is too large." },
  'too-long': { status: 502, type: 'stream_too_long', message: "The model's stream took too long." },
  aborted: { status: 499, type: 'client_closed_request', message: 'The client closed the request.' },
} satisfies Record<Failure['kind'], FailureMeaning>;

/** The answer to a try that nothing came of. */
export function failureAnswer({ kind }: Failure): GatewayError {
  const { status, type, message } = FAILURES[kind];
  return refusal(status, type, message);
}

/** Of a server's error only the number is the caller's business. */
export function serverErrorAnswer(status: number): GatewayError {
  return refusal(502, 'upstream_error', `The model answered with status ${status}.`);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Gemini's are numbers. */
function codeOf(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : text(value);
}

/**
 * A client's error in the words of the upstream.
 *
 * @param said the error object that it answered with, if it did
 * @param secrets longest first; replaced in the message
 */
export function clientErrorAnswer(
  status: number,
  said: JsonObject | undefined,
  secrets: readonly string[],
  retryAfterSeconds: number | undefined,
): GatewayError {
  const message = redact(text(said?.message) ?? `The model answered with status ${status}.`, secrets);
  // Anthropic has no codes: its type names the cause.
  const code = codeOf(said?.code) ?? text(said?.type);
  return new GatewayError(status, 'upstream_error', message.slice(0, MAX_MESSAGE), {
    type: 'upstream_error',
    ...(code !== undefined && { quotedCode: redact(code, secrets).slice(0, MAX_MESSAGE) }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}
