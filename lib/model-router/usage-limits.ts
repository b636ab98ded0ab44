import type { LoadedUsageLimits } from '../config/loaded-model-router.ts';
import type { QuotaLeft } from '../quota.ts';
import { UsageWindow } from './usage-window.ts';

type WindowName = 'rps' | 'rpm' | 'rph' | 'rpd' | 'tpm' | 'tpd';

export type LimitName = WindowName | 'concurrency';

/** Counts what one model or one caller uses. All times are milliseconds since the epoch. */
export interface UsageMeter {
  /** 0 where a request may begin now, else how long until it may, above 0. Counts nothing. */
  waitMs(nowMs: number): number;
  /** A request begins: counts it, and takes a place among those under way. */
  begin(nowMs: number): void;
  /**
   * It has ended, which is to be said once for each that has begun: charges its tokens and frees its place. Tokens
   * are known no earlier, so the requests under way when the limit is reached may go over it.
   */
  end(tokens: number, nowMs: number): void;
  /** What is left of each limit there is. */
  status(nowMs: number): Partial<Record<LimitName, QuotaLeft>>;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

type WindowLengths = readonly (readonly [WindowName, number])[];

const REQUEST_WINDOWS: WindowLengths = [
  ['rps', SECOND_MS],
  ['rpm', MINUTE_MS],
  ['rph', HOUR_MS],
  ['rpd', DAY_MS],
];

const TOKEN_WINDOWS: WindowLengths = [
  ['tpm', MINUTE_MS],
  ['tpd', DAY_MS],
];

/** When a place is free again nobody knows. */
const PLACE_WAIT_MS = 1000;

interface NamedWindow {
  readonly name: WindowName;
  readonly window: UsageWindow;
}

function openWindows(limits: LoadedUsageLimits, lengths: WindowLengths): readonly NamedWindow[] {
  return lengths.flatMap(([name, lengthMs]) => {
    const limit = limits[name];
    return limit === undefined ? [] : [{ name, window: new UsageWindow(limit, lengthMs) }];
  });
}

function longestWaitMs(windows: readonly NamedWindow[], nowMs: number): number {
  let longestMs = 0;
  for (const { window } of windows) longestMs = Math.max(longestMs, window.waitMs(nowMs));
  return longestMs;
}

interface Windows {
  readonly requests: readonly NamedWindow[];
  readonly tokens: readonly NamedWindow[];
}

/** Numbers only: no timer, and nothing kept of a request. */
class Meter implements UsageMeter {
  readonly #limits: LoadedUsageLimits;
  /** Of ten thousand callers, most are silent: theirs are never opened. */
  #opened: Windows | undefined;
  #underWay = 0;

  constructor(limits: LoadedUsageLimits) {
    this.#limits = limits;
  }

  get #windows(): Windows {
    this.#opened ??= {
      requests: openWindows(this.#limits, REQUEST_WINDOWS),
      tokens: openWindows(this.#limits, TOKEN_WINDOWS),
    };
    return this.#opened;
  }

  waitMs(nowMs: number): number {
    const { requests, tokens } = this.#windows;
    const { concurrency = Number.POSITIVE_INFINITY } = this.#limits;
    const placeMs = this.#underWay >= concurrency ? PLACE_WAIT_MS : 0;
    return Math.max(longestWaitMs(requests, nowMs), longestWaitMs(tokens, nowMs), placeMs);
  }

  begin(nowMs: number): void {
    for (const { window } of this.#windows.requests) window.add(1, nowMs);
    this.#underWay += 1;
  }

  end(tokens: number, nowMs: number): void {
    this.#underWay -= 1;
    // An upstream's word: a negative number would give quota back, and no number at all would lift the limit.
    if (!(tokens > 0)) return;
    for (const { window } of this.#windows.tokens) window.add(tokens, nowMs);
  }

  status(nowMs: number): Partial<Record<LimitName, QuotaLeft>> {
    const { requests, tokens } = this.#windows;
    const left: Partial<Record<LimitName, QuotaLeft>> = {};
    for (const { name, window } of requests) left[name] = window.left(nowMs);
    for (const { name, window } of tokens) left[name] = window.left(nowMs);
    const limit = this.#limits.concurrency;
    if (limit !== undefined) {
      left.concurrency = { limit, remaining: Math.max(0, limit - this.#underWay), resetsAtMs: undefined };
    }
    return left;
  }
}

const LIMIT_NAMES: readonly LimitName[] = ['rps', 'rpm', 'rph', 'rpd', 'tpm', 'tpd', 'concurrency'];

export function isSameLimits(one: LoadedUsageLimits, other: LoadedUsageLimits): boolean {
  return one === other || LIMIT_NAMES.every((name) => one[name] === other[name]);
}

/** What keeps these limits; `undefined` where there are none. */
export function makeUsageMeter(limits: LoadedUsageLimits): UsageMeter | undefined {
  // Of ten thousand callers, most may have no limit of their own.
  for (const _ in limits) return new Meter(limits);
  return undefined;
}
