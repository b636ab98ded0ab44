import type { Reader } from './reader.ts';

/** For answers nothing is looked for in. */
export const unread: Reader = {
  atBoundary: true,
  brokenOff: false,
  push: (chunk) => chunk,
  end: () => undefined,
  settled: () => undefined,
};
