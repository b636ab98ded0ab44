import { readFileSync } from 'node:fs';
import { isObject, type JsonObject } from '../../lib/protocols/json.ts';
import { hashOf } from '../model-router/live-router.ts';

/** What the page's shell would send. */
export interface Command {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Every command and every answer of seed 002, in the order of the page. */
export interface AisixPage {
  readonly variables: Readonly<Record<string, string>>;
  readonly createAlias: Command;
  readonly createCaller: Command;
  readonly ask: Command;
  /** The answers that the page prints to the first two. */
  readonly aliasAnswer: JsonObject;
  readonly callerAnswer: JsonObject;
  /** The names of the headers that it prints of the third, in lower case. */
  readonly headerNames: readonly string[];
}

function readVariables(text: string): Record<string, string> {
  const exports = text.matchAll(/^export (\w+)="(.*)"$/gm);
  const variables = Object.fromEntries([...exports].map(([, name = '', value = '']) => [name, value]));
  // The page's `shasum -a 256`.
  return { ...variables, AISIX_API_KEY_HASH: hashOf(variables.AISIX_API_KEY ?? '') };
}

/** Within single quotes, the page leaves them for a variable in double ones: `'"${X}"'`. */
function fill(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/'"\$\{(\w+)\}"'|\$\{(\w+)\}/g, (_all, quoted, bare) => {
    const value = variables[quoted ?? bare];
    if (value === undefined) throw new Error(`the page sets no ${quoted ?? bare}`);
    return value;
  });
}

function readCommand(block: string, variables: Readonly<Record<string, string>>): Command {
  const [, method = '', url = ''] = /-X (\w+) "([^"]+)"/.exec(block) ?? [];
  const headers = block.matchAll(/-H "([^:]+): ([^"]+)"/g);
  const [, body = ''] = /-d '(.*)'$/s.exec(block) ?? [];
  return {
    method,
    path: new URL(url).pathname,
    headers: Object.fromEntries(
      [...headers].map(([, name = '', value = '']) => [name, fill(value, variables)]),
    ),
    body: fill(body, variables),
  };
}

function parse(block: string | undefined): JsonObject {
  const json: unknown = JSON.parse(block ?? '');
  if (!isObject(json)) throw new Error('no object');
  return json;
}

export function readAisixPage(): AisixPage {
  const url = new URL('../fixtures/seeds/002-routing-failover.txt', import.meta.url);
  const text = readFileSync(url, 'utf8');
  const variables = readVariables(text);
  const blocks = text.trim().split(/\n\n/);
  const [createAlias, createCaller, ask] = blocks
    .flatMap((block) => /^curl .*/ms.exec(block) ?? [])
    .map((block) => readCommand(block, variables));
  const [alias, caller] = blocks.filter((block) => block.startsWith('{'));
  const head = blocks.find((block) => block.startsWith('HTTP/1.1')) ?? '';
  if (createAlias === undefined || createCaller === undefined || ask === undefined) {
    throw new Error('the page has three commands');
  }
  return {
    variables,
    createAlias,
    createCaller,
    ask,
    aliasAnswer: parse(alias),
    callerAnswer: parse(caller),
    headerNames: [...head.matchAll(/^([\w-]+):/gm)].map(([, name = '']) => name),
  };
}
