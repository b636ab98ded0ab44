/** Every `code` the gateway puts into an answer or an error event of its own. */
export type GatewayErrorCode =
  | 'all_candidates_unavailable'
  | 'api_key_disabled'
  | 'api_key_expired'
  | 'authentication_error'
  | 'body_not_an_object'
  | 'body_too_deep'
  | 'body_too_large'
  | 'body_unavailable'
  | 'client_closed_request'
  | 'credentials_unavailable'
  | 'empty_body'
  | 'forbidden_key'
  | 'internal_error'
  | 'invalid_api_key'
  | 'invalid_json'
  | 'invalid_quota'
  | 'invalid_request_error'
  | 'invalid_request_target'
  | 'invalid_utf8'
  | 'ip_restricted'
  | 'method_not_supported'
  | 'model_not_found'
  | 'no_instance_available'
  | 'permission_denied'
  | 'protocol_not_supported'
  | 'quota_exceeded'
  | 'quota_unavailable'
  | 'rate_limit_exceeded'
  | 'request_timeout'
  | 'response_too_large'
  | 'stream_options_too_large'
  | 'stream_too_long'
  | 'timeout'
  | 'too_many_members'
  | 'transport_error'
  | 'unsupported_content_encoding'
  | 'unsupported_content_type'
  | 'upstream_decode_error'
  | 'upstream_error'
  | 'upstream_invalid_answer'
  | 'upstream_reset'
  | 'upstream_stream_cut'
  | 'upstream_timeout'
  | 'upstream_unreachable';

/**
 * An answer the gateway makes itself. Its message is the gateway's own, never text of Node's; an upstream's only where
 * a front end passes on what a client has done wrong (`quotedCode` is such an upstream's code then).
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly status: number;
  /** One of the gateway's own, or an upstream's where its error is passed on. */
  readonly code: string;
  /** The error's `type`; `undefined` leaves it to the protocol, which goes by the status. */
  readonly type: string | undefined;
  /** Seconds for the `retry-after` header; `undefined` sends none. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: GatewayErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number; type?: string; quotedCode?: string } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.status = status;
    this.code = options.quotedCode ?? code;
    this.type = options.type;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
