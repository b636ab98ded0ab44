/** Counts of one instance since its plan was made. Plain numbers: adding to one is all a request pays. */
export interface InstanceCounters {
  inFlight: number;
  attempts: number;
  /** Answers by the class of their status. */
  readonly answers: { '2xx': number; '3xx': number; '4xx': number; '5xx': number };
  readonly failures: { refused: number; reset: number; timedOut: number; other: number };
  /** Requests that left it for the next instance. */
  fallbacks: number;
  /** Sums over attempts that were answered, in milliseconds until the first byte of the body. */
  firstByteMsSum: number;
  firstByteCount: number;
  lastFirstByteMs: number | undefined;
}

export function makeCounters(): InstanceCounters {
  return {
    inFlight: 0,
    attempts: 0,
    answers: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    failures: { refused: 0, reset: 0, timedOut: 0, other: 0 },
    fallbacks: 0,
    firstByteMsSum: 0,
    firstByteCount: 0,
    lastFirstByteMs: undefined,
  };
}

export function countAnswer(counters: InstanceCounters, status: number): void {
  if (status < 300) counters.answers['2xx']++;
  else if (status < 400) counters.answers['3xx']++;
  else if (status < 500) counters.answers['4xx']++;
  else counters.answers['5xx']++;
}

export function countFailure(counters: InstanceCounters, kind: string): void {
  if (kind === 'refused') counters.failures.refused++;
  else if (kind === 'reset') counters.failures.reset++;
  else if (kind === 'timed-out') counters.failures.timedOut++;
  else counters.failures.other++;
}

export function countFirstByte(counters: InstanceCounters, ms: number): void {
  counters.firstByteMsSum += ms;
  counters.firstByteCount++;
  counters.lastFirstByteMs = ms;
}
