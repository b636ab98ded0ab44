/** A process with background checks and nothing to do once its standard input has ended. Never calls `close()`. */

import { makeBackgroundChecks } from '../../lib/health/background-checks.ts';

const rules = {
  intervalMs: 3_600_000,
  timeoutMs: 3_600_000,
  prompt: 'ping',
  maxTokens: 1,
  ignoreStatuses: [],
  staleAfterMs: 3_600_000,
};
const checks = makeBackgroundChecks();
checks.watch('between two probes', rules, async () => ({ status: 200 }));
checks.watch('while a probe waits for its answer', rules, () => {
  process.stdout.write('both have been asked\n');
  return new Promise(() => {});
});
process.stdin.resume();
