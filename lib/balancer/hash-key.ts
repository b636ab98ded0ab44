import type { IncomingMessage } from 'node:http';
import type { LoadedBalancer } from '../config/loaded-config.ts';
import { readVariable, type Variables } from '../request/variables.ts';

/** What a request is hashed on; '' where it resolves to nothing. */
type ReadKey = (req: IncomingMessage, variables: Variables) => string;

/**
 * `$name` and `${name}` in a `vars_combinations` key. Without braces a hyphen belongs to the name only where the
 * names are the client's (`$http_x-user`), so that `$uri-$host` stays two variables and what stands between them.
 */
const VARIABLE =
  /\$(?:\{([a-zA-Z0-9_-]+)\}|((?:http|arg|cookie)_[a-zA-Z0-9_]+(?:-[a-zA-Z0-9_]+)*|[a-zA-Z0-9_]+))/g;

function combine(template: string): ReadKey {
  return (req, variables) => {
    let resolved = false;
    const key = template.replace(
      VARIABLE,
      (_match, braced: string | undefined, plain: string | undefined) => {
        const value = readVariable(braced ?? plain ?? '', req, variables);
        if (value !== '') resolved = true;
        return value;
      },
    );
    return resolved ? key : '';
  };
}

function readerFor(balancer: LoadedBalancer): ReadKey {
  const name = balancer.key ?? '';
  switch (balancer.hash_on) {
    case 'vars':
      return (req, variables) => readVariable(name.replace(/^\$/, ''), req, variables);
    case 'header':
      return (req, variables) => readVariable(`http_${name}`, req, variables);
    case 'cookie':
      return (req, variables) => readVariable(`cookie_${name}`, req, variables);
    case 'consumer':
      return (req, variables) => readVariable('consumer_name', req, variables);
    case 'vars_combinations':
      return combine(name);
  }
}

/** Reads the key that `hash_on` and `key` describe; where it resolves to nothing, the client's address. */
export function hashKeyReader(balancer: LoadedBalancer): ReadKey {
  const read = readerFor(balancer);
  return (req, variables) => read(req, variables) || readVariable('remote_addr', req, variables);
}
