/** What is closed in the end. */
interface Closable {
  close(): Promise<unknown>;
}

/** The part in use, and those that were in use before it and may still be needed by requests under way. */
export interface Replaceable<Part> {
  readonly current: Part;
  /** Puts another part in its place, and closes the old one, which takes as long as it is needed. */
  replace(part: Part): void;
  /** Closes the current part. Resolves when that and all that it has replaced are closed. */
  close(): Promise<void>;
}

export function replaceable<Part extends Closable>(first: Part): Replaceable<Part> {
  let current = first;
  let replacedOnes: Promise<unknown> = Promise.resolve();
  return {
    get current() {
      return current;
    },
    replace(part) {
      const replaced = current;
      current = part;
      replacedOnes = Promise.all([replacedOnes, replaced.close()]);
    },
    async close() {
      await Promise.all([replacedOnes, current.close()]);
    },
  };
}
