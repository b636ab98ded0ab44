import type { IncomingMessage } from 'node:http';
import { readVariable, type Variables } from './variables.ts';

/** A template filled in for one request. */
export interface FilledTemplate {
  readonly text: string;
  /** How many variables had a value or a default. One that had neither has become ''. */
  readonly resolved: number;
}

/** Fills a template in. */
export type Template = (req: IncomingMessage, variables: Variables) => FilledTemplate;

interface Variable {
  readonly name: string;
  /** '' where there is none. */
  readonly otherwise: string;
}

/**
 * `$name` and what stands in `${…}`, unless after a backslash. Without braces a hyphen belongs to the name only where
 * the names are the client's (`$http_x-user`), so that `$uri-$host` stays two variables and what stands between
 * them.
 */
const VARIABLE =
  /(?<!\\)\$(?:\{([^}]*)\}|((?:http|arg|cookie)_[a-zA-Z0-9_]+(?:-[a-zA-Z0-9_]+)*|[a-zA-Z0-9_]+))/g;

/** As in APISIX, what follows a second `??` is dropped. */
function parseBraced(content: string): Variable {
  const [name = '', otherwise = ''] = content.split('??');
  return { name: name.trim(), otherwise: otherwise.trim() };
}

function parse(text: string): readonly (string | Variable)[] {
  const parts: (string | Variable)[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    const [whole, braced, plain = ''] = match;
    const variable = braced === undefined ? { name: plain, otherwise: '' } : parseBraced(braced);
    // Braces without a name in them are text like any other.
    if (variable.name === '') continue;
    parts.push(text.slice(end, match.index), variable);
    end = match.index + whole.length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== '');
}

/** Whether there is anything to fill in. */
export function hasVariables(text: string): boolean {
  return parse(text).some((part) => typeof part !== 'string');
}

/**
 * Compiles a text with variables as APISIX writes them: `$name`, `${name}`, and `${name ?? default}`, whose default
 * is plain text and counts as resolved unless it is empty. `\$` begins no variable; the backslash stays, as in
 * APISIX. No text is a fault.
 *
 * @example
 * compileTemplate('${http_x_user ?? nobody} $arg_tenant')
 */
export function compileTemplate(text: string): Template {
  const parts = parse(text);
  return (req, variables) => {
    let filled = '';
    let resolved = 0;
    for (const part of parts) {
      const value =
        typeof part === 'string' ? part : readVariable(part.name, req, variables) || part.otherwise;
      if (typeof part !== 'string' && value !== '') resolved++;
      filled += value;
    }
    return { text: filled, resolved };
  };
}
