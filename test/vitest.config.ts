import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { MixedOrder } from './support/mixed-order.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
  root,
  resolve: { alias: { 'ai-proxy-multi': `${root}lib/index.ts` } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/compile-checkout.ts'],
    // What ends by itself ends long before, but a machine may be busy with other things.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Hundreds of files import the same modules, which hold nothing that one test could change for another.
    isolate: false,
    sequence: { sequencer: MixedOrder },
    // Most tests wait for sockets and intervals: with a worker to a core, both would be idle half of the time.
    maxWorkers: 2 * availableParallelism(),
  },
});
