import { describe, expect, it } from 'vitest';
import { instance } from '../support/app.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { healthOf, quickChecks, startChecked, startHealthApp } from './health-app.ts';
import { startPair } from './pair.ts';
import { startPatient } from './patient.ts';

describe('what is said about health', () => {
  it('is a line in the log and a call of host.onHealth for each change', async () => {
    const { app, a } = await startPair();
    await app.until('a', 'healthy');
    a.fallIll();
    await app.until('a', 'unhealthy');
    a.recover();
    await app.until('a', 'healthy');
    const ofA = app.changes.filter((change) => change.instance === 'a');
    const [up, down] = [
      { instance: 'a', reason: 'status 200', address: '127.0.0.1' },
      { instance: 'a', reason: 'status 503', address: '127.0.0.1' },
    ];
    expect(ofA).toEqual([
      { ...up, state: 'healthy' },
      { ...down, state: 'unhealthy' },
      { ...up, state: 'healthy' },
    ]);
    expect(app.logs.filter(({ data }) => data.instance === 'a')).toEqual([
      { level: 'info', data: up, message: 'an instance is healthy' },
      { level: 'warn', data: down, message: 'an instance is unhealthy' },
      { level: 'info', data: up, message: 'an instance is healthy' },
    ]);
  });

  it('is unchecked until the first probe has ended', async () => {
    const holding = await startHolding();
    const app = await startHealthApp({
      instances: [instance('a', holding.url, quickChecks({ timeout: 60 }))],
    });
    await holding.holding(1);
    const addresses = [{ address: '127.0.0.1', state: 'unchecked' }];
    expect(healthOf(app, 'a')).toEqual({ state: 'unchecked', addresses });
    holding.release();
    await app.until('a', 'healthy');
  });

  it('is unchecked for an instance without checks', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startHealthApp({ instances: [instance('a', upstream.url)] });
    expect(healthOf(app, 'a')).toEqual({ state: 'unchecked' });
  });

  it('is in status(), with the reason and the time of the last change', async () => {
    const { app, a } = await startPair();
    a.fallIll();
    const before = Date.now();
    await app.until('a', 'unhealthy');
    const health = healthOf(app, 'a');
    expect(health).toEqual({
      state: 'unhealthy',
      reason: 'status 503',
      since: expect.any(String),
      addresses: [{ address: '127.0.0.1', state: 'unhealthy', reason: 'status 503' }],
    });
    expect(Date.parse(health?.since ?? '')).toBeGreaterThanOrEqual(before);
  });

  it('never holds a secret', async () => {
    const auth = { header: { Authorization: 'Bearer top-secret' }, query: { key: 'top-secret' } };
    const patient = await startPatient();
    const app = await startChecked(patient.url, { req_headers: ['X-Own: top-secret'] }, { auth });
    await app.until('a', 'healthy');
    await patient.goAway();
    await app.until('a', 'unhealthy');
    const shown = JSON.stringify([app.logs, app.changes, app.middleware.status()]);
    expect(shown).toContain('ECONNREFUSED');
    expect(shown).not.toContain('top-secret');
  });

  it('survives a host.onHealth that throws', async () => {
    const patient = await startPatient();
    const app = await startHealthApp(
      { instances: [instance('a', patient.url, quickChecks())] },
      {
        host: {
          onHealth() {
            throw new Error('of the hook');
          },
        },
      },
    );
    await patient.probed(3);
    expect(app.logs.filter(({ level }) => level === 'error')).toEqual([
      { level: 'error', data: { hook: 'onHealth', reason: 'of the hook' }, message: 'a hook failed' },
    ]);
  });
});
