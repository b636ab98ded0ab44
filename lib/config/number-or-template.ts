import { hasVariables } from '../request/variable-template.ts';
import type { NumberOrTemplate } from './loaded-rate-limiting.ts';

function isCount(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) > 0 && Number.isSafeInteger(Number(text));
}

/** Whether a text can become a whole number above 0: it is one, or holds variables. */
export function isNumberOrTemplate(text: string): boolean {
  return isCount(text) || hasVariables(text);
}

/** A number that was written as text becomes one. */
export function readNumberOrTemplate(value: NumberOrTemplate): NumberOrTemplate {
  return typeof value === 'string' && isCount(value) ? Number(value) : value;
}
