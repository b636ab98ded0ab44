import { describe, expect, it } from 'vitest';
import { askWho } from '../balancer/ask.ts';
import { instance } from '../support/app.ts';
import { answerJson, chatAnswer, echoModel, startUpstream } from '../support/upstream.ts';
import { type ActiveChecks, healthOf, quickChecks, startChecked, startHealthApp } from './health-app.ts';
import { startPatient } from './patient.ts';

/** The first probe that an instance with these checks gets. */
async function firstProbe(checks: ActiveChecks, more: Parameters<typeof startChecked>[2] = {}, host = {}) {
  const patient = await startPatient();
  const app = await startChecked(patient.url, checks, more, host);
  await patient.probed(1);
  const [probe] = patient.probes;
  if (probe === undefined) throw new Error('no probe');
  return { app, patient, probe };
}

describe('an http check', () => {
  it('asks its path on the origin, whatever path the endpoint has', async () => {
    const patient = await startPatient();
    await startChecked(`${patient.url}/v1/chat/completions?api-version=1`, { http_path: '/health?deep=1' });
    await patient.probed(1);
    expect(patient.probes[0]).toMatchObject({ method: 'GET', url: '/health?deep=1', body: '' });
  });

  it('sends the credentials along, in headers and query', async () => {
    const auth = { header: { 'X-Api-Key': 'in the header' }, query: { key: 'in the query' } };
    const { probe } = await firstProbe({}, { auth });
    expect(probe.headers['x-api-key']).toBe('in the header');
    expect(probe.url).toBe('/health?key=in+the+query');
  });

  it('sends a secret that is looked up', async () => {
    const auth = { header: { Authorization: 'Bearer $secret://vault/key' } };
    const { probe } = await firstProbe({}, { auth }, { secret: async () => 'from the vault' });
    expect(probe.headers.authorization).toBe('Bearer from the vault');
  });

  it('counts for nothing without its secret, which is logged once', async () => {
    const asked: string[] = [];
    let third = (): void => {};
    const thirdTime = new Promise<void>((resolve) => {
      third = resolve;
    });
    const patient = await startPatient();
    const auth = { header: { Authorization: 'Bearer $secret://vault/key' } };
    const app = await startChecked(
      patient.url,
      {},
      { auth },
      {
        secret(reference: string) {
          asked.push(reference);
          if (asked.length === 3) third();
          throw new Error('sealed');
        },
      },
    );
    await thirdTime;
    expect(app.logs.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        data: { instance: 'a', reason: 'The secret $secret://vault/key could not be resolved' },
        message: 'a health check lacks its credentials',
      },
    ]);
    expect([patient.connections, healthOf(app, 'a')?.state]).toEqual([0, 'unchecked']);
  });

  it('may be a POST with a body and headers of its own', async () => {
    const { probe } = await firstProbe({
      http_method: 'POST',
      http_req_body: '{"model":"tiny"}',
      req_headers: ['User-Agent: prober', 'X-Check: 1'],
    });
    expect(probe).toMatchObject({
      method: 'POST',
      body: '{"model":"tiny"}',
      headers: { 'user-agent': 'prober', 'x-check': '1', 'content-type': 'application/json' },
    });
  });

  it('is for the host of the endpoint, or the one it names', async () => {
    const { probe, patient } = await firstProbe({});
    expect(probe.headers.host).toBe(`127.0.0.1:${patient.port}`);
    const { probe: named } = await firstProbe({ host: 'llm.test' });
    expect(named.headers.host).toBe('llm.test');
  });

  it('may go to another port', async () => {
    const [llm, page] = [await startUpstream(echoModel()), await startPatient()];
    const app = await startChecked(llm.url, { port: page.port });
    await app.until('a', 'healthy');
    expect(page.probes[0]?.headers.host).toBe(`127.0.0.1:${page.port}`);
    expect(await askWho(app.url)).toBe('a');
    expect([llm.calls.length, page.requests.length]).toEqual([1, 0]);
  });

  it('goes by its own lists of statuses', async () => {
    const upstream = await startUpstream((_call, res) => answerJson(res, 404, {}));
    const good = { healthy: { http_statuses: [404] as [number] } };
    const bad = { unhealthy: { http_statuses: [404] as [number] } };
    const app = await startHealthApp({
      instances: [
        instance('good', upstream.url, quickChecks(good)),
        instance('bad', upstream.url, quickChecks(bad)),
      ],
    });
    expect((await app.until('good', 'healthy')).reason).toBe('status 404');
    expect((await app.until('bad', 'unhealthy')).reason).toBe('status 404');
  });

  it('changes nothing with a status of neither list', async () => {
    const patient = await startUpstream((call, res) => {
      answerJson(res, call.url === '/health' ? 401 : 200, chatAnswer('m'));
    });
    const app = await startChecked(patient.url, {});
    while (patient.calls.length < 3) await new Promise((resolve) => patient.server.once('request', resolve));
    expect([app.changes, healthOf(app, 'a')?.state]).toEqual([[], 'unchecked']);
  });

  it('takes as many failures as its threshold says', async () => {
    const patient = await startPatient();
    patient.fallIll();
    const app = await startChecked(patient.url, { unhealthy: { http_failures: 3 } });
    await app.until('a', 'unhealthy');
    expect(patient.probes).toHaveLength(3);
  });

  it('takes as many successes as its threshold says', async () => {
    const patient = await startPatient();
    patient.fallIll();
    const app = await startChecked(patient.url, { healthy: { successes: 2 } });
    await app.until('a', 'unhealthy');
    const before = patient.probes.length;
    patient.recover();
    await app.until('a', 'healthy');
    expect(patient.probes.length).toBe(before + 2);
  });

  it('finds a server that is not there, or that says nothing', async () => {
    const [gone, silent] = [await startPatient(), await startUpstream(() => {})];
    await gone.goAway();
    const app = await startHealthApp({
      instances: [
        instance('gone', gone.url, quickChecks()),
        instance('silent', silent.url, quickChecks({ timeout: 0.1 })),
      ],
    });
    expect((await app.until('gone', 'unhealthy')).reason).toBe('ECONNREFUSED');
    expect((await app.until('silent', 'unhealthy')).reason).toBe('timeout');
  });

  it('does not carry the credentials of an https endpoint in the clear', async () => {
    const page = await startPatient();
    const auth = { header: { Authorization: 'Bearer secret' }, query: { key: 'secret' } };
    const app = await startChecked(`https://127.0.0.1:${page.port}`, { type: 'http' }, { auth });
    await page.probed(1);
    expect(page.probes[0]?.url).toBe('/health');
    expect(page.probes[0]?.headers.authorization).toBeUndefined();
    expect(app.logs.filter(({ level }) => level === 'warn')).toMatchObject([
      { data: { instance: 'a' }, message: expect.stringContaining('without the credentials') },
    ]);
  });

  it('warns of header lines that cannot be sent, without showing them', async () => {
    const { app, probe } = await firstProbe({ req_headers: ['no colon', 'X-Good: yes'] });
    expect(probe.headers['x-good']).toBe('yes');
    expect(app.logs.filter(({ level }) => level === 'warn')).toEqual([
      { level: 'warn', data: { instance: 'a', count: 1 }, message: expect.stringContaining('req_headers') },
    ]);
  });
});
