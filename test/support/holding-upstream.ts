import { answerJson, chatAnswer, startUpstream, type Upstream } from './upstream.ts';

/** An upstream that holds its answers back. */
export interface HoldingUpstream extends Upstream {
  /** Resolves when it holds that many. */
  holding(count: number): Promise<void>;
  /** Gives all those it holds. */
  release(): void;
}

export async function startHolding(): Promise<HoldingUpstream> {
  let held: (() => void)[] = [];
  let changed = (): void => {};
  const upstream = await startUpstream((_call, res) => {
    held.push(() => answerJson(res, 200, chatAnswer('held')));
    changed();
  });
  return {
    ...upstream,
    // A spread alone would copy today's number.
    get connections() {
      return upstream.connections;
    },
    async holding(count) {
      while (held.length < count) {
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
    release() {
      for (const answer of held) answer();
      held = [];
    },
  };
}
