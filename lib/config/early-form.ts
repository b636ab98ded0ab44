import type { DefaultedAiProxyMultiConfig } from './generated/ai-proxy-multi-defaulted.ts';
import type {
  DefaultedEarlyAiProxyMultiConfig,
  DefaultedEarlyProviderConfig,
} from './generated/ai-proxy-multi-early-defaulted.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/** Whether somebody wrote `providers`: the form ai-proxy-multi had before `instances`. */
export function isEarlyForm(config: unknown): config is JsonObject {
  return isJsonObject(config) && config.providers !== undefined;
}

/** The second "openai" becomes "openai-2": providers could repeat, the names of instances cannot. */
function uniqueName(provider: string, index: number, all: readonly DefaultedEarlyProviderConfig[]): string {
  const before = all.slice(0, index).filter(({ name }) => name === provider).length;
  return before === 0 ? provider : `${provider}-${before + 1}`;
}

/** The early form's `providers` as the `instances` they mean; everything else has the same name in both. */
export function modernise(config: DefaultedEarlyAiProxyMultiConfig): DefaultedAiProxyMultiConfig {
  const { providers, passthrough: _, ...rest } = config;
  const instances = providers.map(({ name: provider, model, ...entry }, index) => ({
    ...entry,
    name: uniqueName(provider, index, providers),
    provider,
    options: { ...entry.options, model },
  }));
  return { ...rest, instances };
}
