/** How the client tells the mock what to do: `echo`, `paced` or `hold`. Gateways pass it on. */
export const MODE_HEADER = 'x-bench-mode';

/** In an echo: whose `authorization` the mock saw, `gateway`, `client` or `none`. */
export const SEEN_KEY_HEADER = 'x-bench-seen-key';

/** In an echo: how often the mock has answered 429 so far. */
export const REFUSALS_HEADER = 'x-bench-refusals';

/** What our gateway's config puts into `authorization`; the client sends `CLIENT_KEY`. */
export const GATEWAY_KEY = 'Bearer sk-gateway-0123456789abcdef';
export const CLIENT_KEY = 'Bearer sk-client-0123456789abcdef';

/** What our gateway's `options.model` says. */
export const INSTANCE_MODEL = 'gpt-4o-mini';

/** Below this path the mock answers 429. */
export const REFUSING_PATH = '/refusing/';
