import { isJsonObject, type JsonObject } from './json.ts';
import { type Placed, placedField } from './placed.ts';

function isDisabled(plugin: unknown): boolean {
  return isJsonObject(plugin) && isJsonObject(plugin._meta) && plugin._meta.disable === true;
}

/** Takes out the plugins that somebody has switched off: as in APISIX, nobody minds what is in them. */
export function dropDisabledPlugins({ plugins }: JsonObject): void {
  if (!isJsonObject(plugins)) return;
  for (const name of Object.keys(plugins)) {
    if (isDisabled(plugins[name])) delete plugins[name];
  }
}

/** One plugin of a route, a consumer or a credential, if it is there. */
export function findPlugin(owner: Placed, name: string): Placed | undefined {
  return placedField(owner, 'plugins').flatMap((plugins) => placedField(plugins, name))[0];
}

/** A plugin's configuration without what every plugin may have. */
export function ownConfig({ object: { _meta, ...config } }: Placed): JsonObject {
  return config;
}
