/** Every `code` the gateway puts into an answer or an error event of its own. */
export type GatewayErrorCode =
  | 'body_not_an_object'
  | 'body_too_deep'
  | 'body_too_large'
  | 'body_unavailable'
  | 'client_closed_request'
  | 'credentials_unavailable'
  | 'empty_body'
  | 'forbidden_key'
  | 'internal_error'
  | 'invalid_json'
  | 'invalid_quota'
  | 'invalid_request_target'
  | 'invalid_utf8'
  | 'no_instance_available'
  | 'protocol_not_supported'
  | 'quota_exceeded'
  | 'quota_unavailable'
  | 'request_timeout'
  | 'response_too_large'
  | 'stream_too_long'
  | 'too_many_members'
  | 'unsupported_content_encoding'
  | 'unsupported_content_type'
  | 'upstream_decode_error'
  | 'upstream_invalid_answer'
  | 'upstream_reset'
  | 'upstream_stream_cut'
  | 'upstream_timeout'
  | 'upstream_unreachable';

/** An answer the gateway makes itself. Its message is the gateway's own: never text of Node's or the upstream's. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly status: number;
  readonly code: GatewayErrorCode;
  /** Seconds for the `retry-after` header; `undefined` sends none. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: GatewayErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
