import type { Server } from 'node:http';

/** What keeps the process busy, by kind. */
export function activeResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (/TCP|Timeout|Immediate|Zlib/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

/** Open connections of all these servers together. */
export async function connectionsOf(servers: readonly Server[]): Promise<number> {
  const counts = await Promise.all(servers.map(connections));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Resolves when it is so. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}
