/** A secret shorter than this would match by chance inside other text; such a value is only compared whole. */
const SHORTEST_PART = 4;

/** Whether `text` is, or holds, one of the secrets. */
export function holdsSecret(text: string, secrets: readonly string[]): boolean {
  for (const secret of secrets) {
    if (text === secret || (secret.length >= SHORTEST_PART && text.includes(secret))) return true;
  }
  return false;
}

/** Where a secret begins that the end of the text cuts off. */
function cutSecretAt(text: string, secret: string): number {
  for (let length = Math.min(secret.length - 1, text.length); length >= SHORTEST_PART; length--) {
    if (text.endsWith(secret.slice(0, length))) return text.length - length;
  }
  return text.length;
}

/**
 * The text with every secret in it replaced by `***`, also one that the end of the text cuts off.
 *
 * @param secrets longest first: a shorter one inside it would leave the rest of a longer one
 */
export function redact(text: string, secrets: readonly string[]): string {
  const parts = secrets.filter(({ length }) => length >= SHORTEST_PART);
  const redacted = parts.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  const end = Math.min(...parts.map((secret) => cutSecretAt(redacted, secret)), redacted.length);
  return end === redacted.length ? redacted : `${redacted.slice(0, end)}***`;
}
