import type { QuotaHeaders } from '../quota.ts';

/** A character that no header name may hold (RFC 9110 §5.6.2), in UTF-8 and percent-encoded. */
function encode(character: string): string {
  const hex = Buffer.from(character).toString('hex').toUpperCase();
  return hex.replace(/../g, '%$&');
}

/** As APISIX names them, with what an instance may be called and a header may not percent-encoded. */
export function headersOfInstance(instance: string): QuotaHeaders {
  const name = instance.replace(/[^!#$%&'*+.^_`|~0-9A-Za-z-]/gu, encode);
  return {
    limit: `X-AI-RateLimit-Limit-${name}`,
    remaining: `X-AI-RateLimit-Remaining-${name}`,
    reset: `X-AI-RateLimit-Reset-${name}`,
  };
}

/** @param prefix a rule's `header_prefix`, or its place among the rules */
export function headersOfRule(prefix: string): QuotaHeaders {
  return {
    limit: `X-AI-${prefix}-RateLimit-Limit`,
    remaining: `X-AI-${prefix}-RateLimit-Remaining`,
    reset: `X-AI-${prefix}-RateLimit-Reset`,
  };
}
