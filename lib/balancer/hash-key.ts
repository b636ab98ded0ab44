import type { IncomingMessage } from 'node:http';
import type { LoadedBalancer } from '../config/loaded-config.ts';
import { compileTemplate } from '../request/variable-template.ts';
import { readVariable, type Variables } from '../request/variables.ts';

/** What a request is hashed on; '' where it resolves to nothing. */
type ReadKey = (req: IncomingMessage, variables: Variables) => string;

function combine(text: string): ReadKey {
  const template = compileTemplate(text);
  return (req, variables) => {
    const filled = template(req, variables);
    return filled.resolved > 0 ? filled.text : '';
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
