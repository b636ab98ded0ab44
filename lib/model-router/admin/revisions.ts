/** How often resources have been written since the process began; the first counts, however long ago it was. */
export interface Revisions {
  of(id: string): number;
  /** After a write. */
  advance(id: string): void;
  /** What is not among them any more begins anew. */
  keepOnly(ids: ReadonlySet<string>): void;
}

export function makeRevisions(): Revisions {
  const revisions = new Map<string, number>();
  const of = (id: string): number => revisions.get(id) ?? 1;
  return {
    of,
    advance(id) {
      revisions.set(id, of(id) + 1);
    },
    keepOnly(ids) {
      for (const id of revisions.keys()) if (!ids.has(id)) revisions.delete(id);
    },
  };
}
