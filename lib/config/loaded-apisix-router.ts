import type { LoadedConfig } from './loaded-config.ts';
import type { LoadedConsumer, LoadedKeyAuth } from './loaded-key-auth.ts';
import type { LoadedRateLimiting } from './loaded-rate-limiting.ts';

/** The methods a route may be restricted to. */
export type RouteMethod =
  | 'GET'
  | 'POST'
  | 'PUT'
  | 'DELETE'
  | 'PATCH'
  | 'HEAD'
  | 'OPTIONS'
  | 'CONNECT'
  | 'TRACE'
  | 'PURGE';

/** One route that is switched on, its plugins checked. */
export interface LoadedRoute {
  /** Unique among the routes. One without an id, in an array, is called `route-` and its place, counted from 1. */
  readonly id: string;
  /** Paths, at least one; a `*` stands for any characters. */
  readonly uris: readonly string[];
  /** `undefined` takes every method. */
  readonly methods: readonly RouteMethod[] | undefined;
  /** Names in lower case, which may begin with `*`; none takes every host. */
  readonly hosts: readonly string[];
  /** Of several routes that fit a request equally well, by host and path, the one with the higher number goes first. */
  readonly priority: number;
  readonly keyAuth?: LoadedKeyAuth;
  readonly rateLimiting?: LoadedRateLimiting;
  /** Of ai-proxy or ai-proxy-multi. */
  readonly config: LoadedConfig;
  /** Whether the caller's own Authorization goes to the LLM, as nothing else is configured for it (seed 004). */
  readonly forwardsAuthorization: boolean;
}

/** A checked `apisixRouter` configuration, frozen throughout. */
export interface LoadedApisixRouter {
  /** As they were written; those with `status` 0 are left out. */
  readonly routes: readonly LoadedRoute[];
  readonly consumers: readonly LoadedConsumer[];
}
