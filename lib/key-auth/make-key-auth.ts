import type { IncomingMessage, ServerResponse } from 'node:http';
import { admissionOf } from '../admission.ts';
import type { LoadedKeyAuth } from '../config/loaded-key-auth.ts';
import type { Next } from '../exchange.ts';
import { localsOf } from '../response-locals.ts';
import type { Consumer } from './consumer.ts';
import type { ConsumerRegistry } from './consumer-registry.ts';
import { hideCredentials } from './hide-credentials.ts';
import { presentedKey } from './presented-key.ts';
import { refuse } from './refuse.ts';

export type KeyAuthHandler = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

function attach(consumer: Consumer, req: IncomingMessage, res: ServerResponse): void {
  localsOf(res).consumer = { username: consumer.username };
  const limiter = consumer.limiter();
  limiter?.hold(req, res);
  admissionOf(req).consumerLimiter = limiter;
}

/**
 * Makes a middleware that lets the registry's consumers in. Closing the registry is the caller's business, since
 * others may share it.
 */
export function makeKeyAuth(keyAuth: LoadedKeyAuth, registry: ConsumerRegistry): KeyAuthHandler {
  const { header, query, realm, anonymousConsumer } = keyAuth;
  const anonymous = anonymousConsumer === undefined ? undefined : registry.named(anonymousConsumer);
  return (req, res, next) => {
    const { credentialHeaders, credentialQueries } = admissionOf(req);
    credentialHeaders.push(header);
    credentialQueries.push(query);
    const key = presentedKey(req, keyAuth);
    if (keyAuth.hideCredentials) hideCredentials(req, keyAuth);
    const decide = (found: Consumer | undefined): void => {
      const consumer = found ?? anonymous;
      if (consumer === undefined) {
        refuse(req, res, realm, `${key === undefined ? 'Missing' : 'Invalid'} API key in request`);
        return;
      }
      attach(consumer, req, res);
      next();
    };
    const found = key === undefined ? undefined : registry.find(key);
    if (!(found instanceof Promise)) return decide(found);
    const leave = registry.waiting.add(req, res);
    found.then(decide, next).finally(leave);
  };
}
