import { createHash } from 'node:crypto';
import { loadModelRouter } from '../../lib/config/load-model-router.ts';
import type {
  LoadedDirectModel,
  LoadedModelRouter,
  LoadedProviderKey,
  LoadedRoutingModel,
} from '../../lib/config/loaded-model-router.ts';
import { recordWarnings } from './loading.ts';

type Fields = Record<string, unknown>;

/** The hash of a caller's key. */
export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

export function providerKey(fields: Fields = {}): Fields {
  return { id: 'pk', display_name: 'main', provider: 'openai', api_key: 'k', ...fields };
}

export function directModel(fields: Fields = {}): Fields {
  return { display_name: 'one', provider: 'openai', model_name: 'gpt-4o', provider_key_id: 'pk', ...fields };
}

export function alias(routing: Fields = {}, fields: Fields = {}): Fields {
  return { display_name: 'chat', routing: { targets: [{ model: 'one' }], ...routing }, ...fields };
}

export function callerKey(fields: Fields = {}): Fields {
  return { key_hash: hashOf('a'), allowed_models: ['chat'], ...fields };
}

/** A router of one provider key, one direct model and one alias, with other lists where a test wants them. */
export function routerOf(lists: Fields = {}): Fields {
  return { provider_keys: [providerKey()], models: [directModel(), alias()], ...lists };
}

export function loadRouter(config: unknown): LoadedModelRouter {
  return loadModelRouter(config, recordWarnings(), { hasSecretResolver: true });
}

export function loadDirect(fields: Fields = {}, key: Fields = {}): LoadedDirectModel {
  const lists = { models: [directModel(fields)], provider_keys: [providerKey(key)] };
  const [model] = loadRouter(routerOf(lists)).models;
  if (model?.kind !== 'direct') throw new Error('The model is no direct one');
  return model;
}

export function loadKey(fields: Fields): LoadedProviderKey {
  return loadDirect({}, fields).providerKey;
}

export function loadAlias(routing: Fields = {}, fields: Fields = {}): LoadedRoutingModel {
  const [, model] = loadRouter(routerOf({ models: [directModel(), alias(routing, fields)] })).models;
  if (model?.kind !== 'routing') throw new Error('The model is no alias');
  return model;
}
