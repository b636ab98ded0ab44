import type { Logger } from '../host.ts';
import { formatPath, type JsonPath } from './json-path.ts';

/** These have no host of their own. */
const NEED_ENDPOINT: ReadonlySet<string> = new Set(['openai-compatible', 'azure-openai']);

/** What the warnings look at: an instance of any form. */
interface Instance {
  readonly auth: { readonly gcp?: unknown; readonly aws?: unknown };
  readonly override?: { readonly endpoint?: string };
}

/** Warns of what is valid and yet will not do what its author hopes for. */
export function warnOfInstance(instance: Instance, provider: string, path: JsonPath, logger: Logger): void {
  if (NEED_ENDPOINT.has(provider) && instance.override?.endpoint === undefined) {
    const place = formatPath([...path, 'override', 'endpoint']);
    logger.warn({ path: place }, `missing, but ${provider} needs it: this instance is never picked`);
  }
  for (const name of ['gcp', 'aws'] as const) {
    if (instance.auth[name] === undefined) continue;
    logger.warn({ path: formatPath([...path, 'auth', name]) }, `does nothing with the provider ${provider}`);
  }
}
