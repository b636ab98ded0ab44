import type { LoadedModel } from '../config/loaded-model-router.ts';
import type { IsAllowed } from './allowed-names.ts';

/** OpenAI's Model object (platform.openai.com/docs/api-reference/models/object). */
interface ListedModel {
  readonly id: string;
  readonly object: 'model';
  /** Seconds since the epoch. */
  readonly created: number;
  readonly owned_by: string;
}

/** The body of `GET /v1/models`. */
export interface ModelList {
  readonly object: 'list';
  readonly data: readonly ListedModel[];
}

/** By code units, so that the order is the same in every locale. */
function byId(one: ListedModel, other: ListedModel): number {
  if (one.id === other.id) return 0;
  return one.id < other.id ? -1 : 1;
}

function ownerOf(model: LoadedModel): string {
  return model.kind === 'direct' ? model.provider : 'ai-proxy-multi';
}

/**
 * What `GET /v1/models` lists for whoever is allowed what: sorted once, filtered per request. A name with a `*` stands
 * for names rather than being one, and is not listed.
 *
 * @param createdSeconds since the epoch: when the configuration was loaded, so that it is the same in every answer
 */
export function modelLister(
  models: readonly LoadedModel[],
  createdSeconds: number,
): (isAllowed: IsAllowed) => ModelList {
  const rows = models
    .filter(({ name }) => !name.includes('*'))
    .map((model): ListedModel => {
      return { id: model.name, object: 'model', created: createdSeconds, owned_by: ownerOf(model) };
    })
    .sort(byId);
  return (isAllowed) => ({ object: 'list', data: rows.filter(({ id }) => isAllowed(id)) });
}
