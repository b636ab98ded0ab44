import { describe, expect, it } from 'vitest';
import { makeTurnstile } from '../../lib/health/turnstile.ts';

/** A task that ends when the test says so. */
function makeTask() {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const task = { begun: false, end, run: (): Promise<void> => ended };
  task.run = () => {
    task.begun = true;
    return ended;
  };
  return task;
}

describe('a turnstile with two places', () => {
  it('lets two tasks run, and another one in for each that ends, in their order', async () => {
    const turnstile = makeTurnstile(2);
    const tasks = [makeTask(), makeTask(), makeTask(), makeTask()];
    const passed = tasks.map(({ run }) => turnstile.pass(run));
    const begun = () => tasks.map((task) => task.begun);
    expect(begun()).toEqual([true, true, false, false]);
    tasks[1]?.end();
    await passed[1];
    await new Promise(setImmediate);
    expect(begun()).toEqual([true, true, true, false]);
    tasks[0]?.end();
    await passed[0];
    await new Promise(setImmediate);
    expect(begun()).toEqual([true, true, true, true]);
    for (const { end } of tasks) end();
    await Promise.all(passed);
  });

  it('is free again when all have left', async () => {
    const turnstile = makeTurnstile(2);
    await Promise.all([1, 2, 3].map((number) => turnstile.pass(async () => number)));
    const task = makeTask();
    const other = makeTask();
    void turnstile.pass(task.run);
    void turnstile.pass(other.run);
    expect([task.begun, other.begun]).toEqual([true, true]);
  });
});
