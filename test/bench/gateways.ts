import { type Child, startChild } from './child.ts';
import { GATEWAY_KEY, INSTANCE_MODEL, REFUSING_PATH } from './wire.ts';

/** One thing that is compared: how to start it, and what it does to a request. */
export interface GatewayKind {
  /** The table's heading. */
  name: string;
  /** Where chat is served, before `/v1/chat/completions`. */
  mount: string;
  /** Whether it replaces the model and the key, asks for usage and can fall back. */
  isOurs: boolean;
  start(): Promise<Child>;
}

export interface Gateway extends GatewayKind {
  child: Child;
}

export interface GatewayOptions {
  upstream: Child;
  /** Path of the library's built entry, and of the one it is compared with. */
  library: string;
  compare: string | undefined;
  /** Where V8 leaves CPU profiles of the gateways, if anywhere. */
  profile: string | undefined;
}

/** In the order of the table's columns; the last is no gateway at all. */
export function gatewayKinds({ upstream, library, compare, profile }: GatewayOptions): GatewayKind[] {
  const execArgv = ['--expose-gc'];
  if (profile !== undefined) execArgv.push('--cpu-prof', `--cpu-prof-dir=${profile}`);

  const ours = (name: string, path: string): GatewayKind => ({
    name,
    mount: '/ai',
    isOurs: true,
    start() {
      const args = [upstream.origin, path, GATEWAY_KEY, INSTANCE_MODEL, REFUSING_PATH];
      return startChild('gateways/ours.mjs', args, execArgv);
    },
  });
  const theirs = (name: string, module: string): GatewayKind => ({
    name,
    mount: '/ai',
    isOurs: false,
    start: () => startChild(module, [upstream.origin], execArgv),
  });

  return [
    ours('ours', library),
    ...(compare === undefined ? [] : [ours('ours, compared', compare)]),
    theirs('Express+HPM', 'gateways/express-hpm.mjs'),
    theirs('http+undici', 'gateways/http-undici.mjs'),
    // The mock is shared: stopping "no gateway" must not stop it, and it has no usage to tell.
    { name: 'none', mount: '', isOurs: false, start: async () => ({ ...upstream, stop: async () => {} }) },
  ];
}

export const startUpstream = (): Promise<Child> => startChild('upstream.ts', [], ['--import', 'tsx']);
