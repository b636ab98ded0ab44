import { freePort, type RedisOptions, type RedisServer, startRedis, until } from './redis.ts';

export interface RedisCluster {
  /** Three masters, each with a third of the slots. */
  readonly nodes: readonly RedisServer[];
  /** Resolves when every node says that the cluster is complete. */
  complete(): Promise<void>;
}

const NODES = 3;
const SLOTS = 16_384;

type ClusterOptions = Pick<RedisOptions, 'password' | 'config'>;

async function startNode(options: ClusterOptions): Promise<RedisServer & { readonly busPort: number }> {
  const busPort = await freePort();
  const config = ['cluster-enabled yes', `cluster-port ${busPort}`, 'cluster-node-timeout 2000'];
  const server = await startRedis({ ...options, config: [...config, ...(options.config ?? [])] });
  return { ...server, busPort };
}

function slotsOf(node: number): number[] {
  const [first, end] = [Math.ceil((SLOTS * node) / NODES), Math.ceil((SLOTS * (node + 1)) / NODES)];
  return Array.from({ length: end - first }, (_, index) => first + index);
}

/** A real cluster of three masters without replicas, killed when the test ends. */
export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: NODES }, () => startNode(options)));
  async function complete(): Promise<void> {
    for (const node of nodes) {
      await until(async () => {
        const info = String(await node.call('CLUSTER', 'INFO'));
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`);
      });
    }
  }
  for (const [index, node] of nodes.entries()) {
    await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    await node.call('CLUSTER', 'ADDSLOTS', ...slotsOf(index));
  }
  for (const { host, port, busPort } of nodes) await nodes[0]?.call('CLUSTER', 'MEET', host, port, busPort);
  await complete();
  return { nodes, complete };
}
