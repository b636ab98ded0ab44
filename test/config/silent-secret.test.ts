import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SecretStore } from '../../lib/config/references.ts';

const PATIENCE_MS = 10_000;
const never = new Promise<string>(() => {});

/** What has become of a text so far; `undefined` while it is waited for. */
function outcomeOf(filled: string | Promise<string>): { readonly now: string | undefined } {
  let now: string | undefined;
  const note = (outcome: unknown): void => {
    now = String(outcome);
  };
  Promise.resolve(filled).then(note, note);
  return {
    get now() {
      return now;
    },
  };
}

describe('a host.secret that does not answer once', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => vi.useRealTimers());

  it('is given up on after ten seconds, by all who wait for it', async () => {
    const store = new SecretStore(() => never);
    const outcomes = [outcomeOf(store.fill('$secret://a')), outcomeOf(store.fill('Bearer $secret://a'))];
    await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1);
    expect(outcomes.map(({ now }) => now)).toEqual([undefined, undefined]);
    await vi.advanceTimersByTimeAsync(1);
    expect(outcomes.map(({ now }) => now)).toEqual(Array(2).fill(expect.stringContaining('$secret://a')));
  });

  it('is asked again by a later request, which gets its credentials', async () => {
    const resolve = vi.fn<() => Promise<string>>().mockReturnValueOnce(never).mockResolvedValue('key');
    const store = new SecretStore(resolve);
    outcomeOf(store.fill('Bearer $secret://a'));
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    const later = outcomeOf(store.fill('Bearer $secret://a'));
    await vi.advanceTimersByTimeAsync(0);
    expect(later.now).toBe('Bearer key');
    expect(resolve).toHaveBeenCalledTimes(2);
  });

  it('leaves no timer behind once it has answered', async () => {
    await new SecretStore(async () => 'key').fill('$secret://a');
    expect(vi.getTimerCount()).toBe(0);
  });
});
