import type { Reader } from './reader.ts';

/** For answers nothing is looked for in. */
export const unread: Reader = {
  atBoundary: true,
  push: (chunk) => chunk,
  end: () => undefined,
  settled: () => undefined,
};
