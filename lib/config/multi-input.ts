import type { AiProxyMultiConfig } from './generated/ai-proxy-multi.ts';
import type { EarlyAiProxyMultiConfig } from './generated/ai-proxy-multi-early.ts';

/** What `aiProxyMulti` takes: today's form, or the early one with `providers`. */
export type AiProxyMultiInput = AiProxyMultiConfig | EarlyAiProxyMultiConfig;
