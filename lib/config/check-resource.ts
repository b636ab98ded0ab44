import type { ConfigFault } from './config-error.ts';
import { copyJson } from './copy-json.ts';
import type { ResourceKind } from './derived-id.ts';
import { isJsonObject } from './json.ts';
import { NO_RESOURCE, type ResourceCheck, resourceChecks } from './router-resources.ts';
import { schemaFaults } from './schema-faults.ts';
import { unknownFaults } from './unknown-fields.ts';

function faultsOf<Config>(
  value: unknown,
  { form, findFaults }: ResourceCheck<Config>,
): readonly ConfigFault[] {
  if (!isJsonObject(value)) return [{ path: '', message: NO_RESOURCE }];
  const more = findFaults({ path: [], object: value }, { hasSecretResolver: true });
  const { schema, validate } = form();
  const wrong = validate(value) ? [] : schemaFaults(validate.errors ?? [], value, schema);
  return [...wrong, ...more, ...unknownFaults(value, schema)];
}

/**
 * Everything that is wrong with one resource that somebody writes, without changing it, fields that are not known
 * included. What it has to do with other resources is left to `loadModelRouter`. Paths begin within the resource.
 */
export function checkResource(kind: ResourceKind, value: unknown): readonly ConfigFault[] {
  const { value: copy, faults } = copyJson(value);
  if (faults.length > 0) return faults;
  switch (kind) {
    case 'models':
      return faultsOf(copy, resourceChecks.models);
    case 'provider_keys':
      return faultsOf(copy, resourceChecks.provider_keys);
    case 'api_keys':
      return faultsOf(copy, resourceChecks.api_keys);
  }
}
