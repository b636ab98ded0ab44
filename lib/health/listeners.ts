/** Who wants to be called. */
export interface Listeners<Data> {
  /** @returns what takes the listener away again */
  add(listener: (data: Data) => void): () => void;
  call(data: Data): void;
}

export function makeListeners<Data>(): Listeners<Data> {
  const listeners = new Set<(data: Data) => void>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    call(data) {
      for (const listener of listeners) listener(data);
    },
  };
}
