import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { ConfigError } from '../../config/config-error.ts';
import type { Next } from '../../exchange.ts';

export interface RoutedRequest extends IncomingMessage {
  readonly params: Readonly<Record<string, string | undefined>>;
}

export type RouteHandler = (req: RoutedRequest, res: ServerResponse, next: Next) => void;

/** What is needed of an Express router; the same in Express 4 and 5. */
export interface ExpressRouter {
  (req: IncomingMessage, res: ServerResponse, next: Next): void;
  route(path: string): { all(handler: RouteHandler): unknown };
  use(handler: (error: unknown, req: RoutedRequest, res: ServerResponse, next: Next) => void): unknown;
}

/** What is needed of the package express. */
export interface Express {
  Router(options: { readonly caseSensitive: boolean }): ExpressRouter;
}

function isInstalled(require: NodeJS.Require): boolean {
  try {
    require.resolve('express');
    return true;
  } catch {
    // Whatever keeps it from being found, the answer for the user is the same.
    return false;
  }
}

/**
 * The package express, loaded only where the admin API is wanted: a gateway may run on Connect or on none.
 *
 * @throws {ConfigError} where the package is not installed
 */
export function loadExpress(): Express {
  // Not at the head of the file: some bundlers leave no import.meta.url, which need trouble nobody else.
  const require = createRequire(import.meta.url);
  if (isInstalled(require)) return require('express');
  const message = 'needs the package express: npm install express';
  throw new ConfigError([{ path: 'admin', message }]);
}
