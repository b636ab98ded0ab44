/** More models than anybody configures. What comes after them, by updates, shares one label. */
const MOST_MODELS = 100;

/** What a request's variables say of models. */
export interface RequestModels {
  /** `llm_instance`. */
  readonly instance: string;
  /** `llm_model`: the one the instance is configured for, else the client's. */
  readonly model: string;
  /** `request_llm_model`: the client's. */
  readonly requested: string;
}

/**
 * Makes the function that labels requests with the model of the instance's configuration, or with '' where that is
 * the client's choice: a client could name a thousand models, and each would be a series for good.
 *
 * A model that is not the one the client has asked for can only be the configuration's. Once seen it is known to be
 * the instance's, also in the requests of clients that ask for just that.
 */
export function makeModelLabel(): (models: RequestModels) => string {
  const configured = new Map<string, string>();
  const labels = new Set<string>();
  return ({ instance, model, requested }) => {
    if (model !== requested) configured.set(instance, model);
    if (model === '' || configured.get(instance) !== model) return '';
    if (labels.size < MOST_MODELS) labels.add(model);
    return labels.has(model) ? model : 'other';
  };
}
