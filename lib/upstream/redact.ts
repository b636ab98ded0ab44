/** A secret shorter than this would match by chance inside other text; such a value is only compared whole. */
const SHORTEST_PART = 4;

/** Whether `text` is, or holds, one of the secrets. */
export function holdsSecret(text: string, secrets: readonly string[]): boolean {
  for (const secret of secrets) {
    if (text === secret || (secret.length >= SHORTEST_PART && text.includes(secret))) return true;
  }
  return false;
}

/** The text with every secret in it replaced by `***`. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '***'), text);
}
