import type { NumberOrTemplate } from '../config/loaded-rate-limiting.ts';
import { compileTemplate, type Template } from '../request/variable-template.ts';

/** A limit or a window of one request: a whole number above 0, or `undefined` where the text came to anything else. */
export type Amount = (...from: Parameters<Template>) => number | undefined;

function toAmount(text: string): number | undefined {
  const amount = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isSafeInteger(amount) && amount > 0 ? amount : undefined;
}

/** Compiles what a configuration says as a number, or as text with variables. */
export function compileAmount(configured: NumberOrTemplate): Amount {
  if (typeof configured === 'number') return () => configured;
  const template = compileTemplate(configured);
  return (req, variables) => toAmount(template(req, variables).text);
}
