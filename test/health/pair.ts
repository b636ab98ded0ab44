import { instance } from '../support/app.ts';
import { quickChecks, startHealthApp } from './health-app.ts';
import { startPatient } from './patient.ts';

/** Two instances of equal weight, both checked. */
export async function startPair(config: Partial<Parameters<typeof startHealthApp>[0]> = {}) {
  const [a, b] = [await startPatient(), await startPatient()];
  const app = await startHealthApp({
    ...config,
    instances: [instance('a', a.url, quickChecks()), instance('b', b.url, quickChecks())],
  });
  return { app, a, b };
}
