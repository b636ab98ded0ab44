import type { NumberOrTemplate } from '../config/loaded-rate-limiting.ts';
import { compileTemplate, type Template } from '../request/variable-template.ts';

/**
 * A limit or a window of one request: a whole number above 0, or `undefined` where the text came to anything else, or to
 * more than `most`.
 */
export type Amount = (...from: Parameters<Template>) => number | undefined;

function toAmount(text: string, most: number): number | undefined {
  const amount = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isSafeInteger(amount) && amount > 0 && amount <= most ? amount : undefined;
}

/** Compiles what a configuration says as a number, or as text with variables. */
export function compileAmount(configured: NumberOrTemplate, most = Number.MAX_SAFE_INTEGER): Amount {
  if (typeof configured === 'number') return () => configured;
  const template = compileTemplate(configured);
  return (req, variables) => toAmount(template(req, variables).text, most);
}
