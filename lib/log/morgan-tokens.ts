import type { IncomingMessage, ServerResponse } from 'node:http';
import { oneLine } from './one-line.ts';
import { variableNames } from './read-variables.ts';
import { llmVariables } from './variables.ts';

/** What is needed of morgan: the function that makes a token. */
export interface Morgan {
  token(name: string, read: (req: IncomingMessage, res: ServerResponse) => string | undefined): unknown;
}

/**
 * As a log line has it: objects as JSON, nothing as `undefined`, for which morgan writes `-`. Names of models and
 * users are the client's, and morgan before 1.12 writes a token as it is: a line end would forge a line.
 */
function toText(value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined;
  return oneLine(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

/**
 * Makes each variable a token of the same name.
 *
 * @example
 * ```ts
 * registerMorganTokens(morgan);
 * app.use(morgan(':method :url :status :llm_instance :llm_total_tokens'));
 * ```
 */
export function registerMorganTokens(morgan: Morgan): void {
  for (const name of variableNames) {
    morgan.token(name, (_req, res) => {
      const variables: Readonly<Record<string, unknown>> = llmVariables(res);
      return toText(variables[name]);
    });
  }
}
