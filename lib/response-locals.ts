import type { ServerResponse } from 'node:http';
import type { Locals } from './exchange.ts';
import { isObject } from './protocols/json.ts';

/** `res.locals`, which Express makes for every response and others do not. */
export function localsOf(res: ServerResponse): Locals {
  if ('locals' in res && isObject(res.locals)) return res.locals;
  const locals: Locals = {};
  Object.assign(res, { locals });
  return locals;
}
