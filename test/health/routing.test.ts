import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { askInTurn, askWho, countOf } from '../balancer/ask.ts';
import { instance, post } from '../support/app.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { answerJson, startUpstream } from '../support/upstream.ts';
import { quickChecks, startHealthApp } from './health-app.ts';
import { startPair } from './pair.ts';
import { startPatient } from './patient.ts';

describe('an instance that goes down', () => {
  it('gets no more requests after its next probe, without any fallback strategy', async () => {
    const { app, a } = await startPair();
    await app.until('a', 'healthy');
    a.fallIll();
    const probes = a.probes.length;
    await app.until('a', 'unhealthy');
    expect(a.probes.length).toBe(probes + 1);
    expect(await askInTurn(app.url, 6)).toEqual(Array(6).fill('b'));
    expect(a.requests).toHaveLength(0);
  });

  it('gets its share again after it has come back', async () => {
    const { app, a } = await startPair();
    a.fallIll();
    await app.until('a', 'unhealthy');
    a.recover();
    await app.until('a', 'healthy');
    const answers = await askInTurn(app.url, 10);
    expect([countOf(answers, 'a'), countOf(answers, 'b')]).toEqual([5, 5]);
  });

  it('is listed as passed over, with the reason', async () => {
    const { app, a } = await startPair();
    a.fallIll();
    await app.until('a', 'unhealthy');
    expect(await askWho(app.url)).toBe('b');
    expect((await app.ended(1))[0]?.llm_attempts).toMatchObject([
      { instance: 'a', skipped: 'unhealthy' },
      { instance: 'b', status: 200 },
    ]);
  });

  it('is no fallback either', async () => {
    const bad = await startUpstream((_call, res) => answerJson(res, 500, { error: 'down' }));
    const patient = await startPatient();
    patient.fallIll();
    const app = await startHealthApp({
      fallback_strategy: 'http_5xx',
      instances: [instance('bad', bad.url, { priority: 1 }), instance('patient', patient.url, quickChecks())],
    });
    await app.until('patient', 'unhealthy');
    expect(await askWho(app.url)).toBe('500');
    expect(patient.requests).toHaveLength(0);
  });

  it('hands its tier over to the next one', async () => {
    const [first, second] = [await startPatient(), await startPatient()];
    const app = await startHealthApp({
      instances: [
        instance('first', first.url, { priority: 1, ...quickChecks() }),
        instance('second', second.url),
      ],
    });
    expect(await askWho(app.url)).toBe('first');
    first.fallIll();
    await app.until('first', 'unhealthy');
    expect(await askWho(app.url)).toBe('second');
  });

  it('closes its pooled connections', async () => {
    const { app, a } = await startPair();
    // It would keep idle connections for ever.
    a.server.keepAliveTimeout = 0;
    await app.until('a', 'healthy');
    await askInTurn(app.url, 2);
    const [pooled] = a.requests.map(({ socket }) => socket);
    if (pooled === undefined) throw new Error('nothing was sent to a');
    expect(pooled.destroyed).toBe(false);
    const closed = once(pooled, 'close');
    a.fallIll();
    await closed;
    expect((await app.until('a', 'unhealthy')).reason).toBe('status 503');
  });

  it('finishes what it had begun', async () => {
    const holding = await startHolding();
    const patient = await startPatient();
    const app = await startHealthApp({
      instances: [
        // Its health is somebody else's.
        instance('held', holding.url, quickChecks({ port: patient.port })),
        instance('other', patient.url),
      ],
    });
    const answers = [post(app.url), post(app.url)];
    await holding.holding(1);
    patient.fallIll();
    await app.until('held', 'unhealthy');
    holding.release();
    const statuses = await Promise.all(answers.map(async (answer) => (await answer).status));
    expect(statuses).toContain(200);
  });
});

describe('a ketama ring', () => {
  it('moves only the keys of the instance that is out, and gives them back', async () => {
    const names = ['a', 'b', 'c'];
    const patients = new Map<string, Awaited<ReturnType<typeof startPatient>>>();
    for (const name of names) patients.set(name, await startPatient());
    const app = await startHealthApp({
      balancer: { algorithm: 'chash', hash_on: 'header', key: 'x-user' },
      instances: [
        instance('a', patients.get('a')?.url ?? '', quickChecks()),
        ...names.slice(1).map((name) => instance(name, patients.get(name)?.url ?? '', quickChecks())),
      ],
    });
    const users = Array.from({ length: 30 }, (_value, index) => `user-${index}`);
    const places = async (): Promise<string[]> =>
      Promise.all(users.map((user) => askWho(app.url, { 'x-user': user })));
    const before = await places();
    patients.get('b')?.fallIll();
    await app.until('b', 'unhealthy');
    const during = await places();
    expect(before).toContain('b');
    expect(during).not.toContain('b');
    expect(during.filter((place, index) => before[index] !== 'b' && place !== before[index])).toEqual([]);
    patients.get('b')?.recover();
    await app.until('b', 'healthy');
    expect(await places()).toEqual(before);
  });
});
