import { describe, expect, it } from 'vitest';
import { startTlsUpstream } from '../support/tls.ts';
import { answerJson, chatAnswer, echoModel, startUpstream } from '../support/upstream.ts';
import { startChecked } from './health-app.ts';
import { startPatient } from './patient.ts';

describe('an https check', () => {
  const startPage = () =>
    startTlsUpstream((req, res) => {
      res.setHeader('x-host', req.headers.host ?? '');
      answerJson(res, 200, chatAnswer('over TLS'));
    });

  it('takes a certificate that nobody has signed for a failed connection', async () => {
    const page = await startPage();
    const app = await startChecked(page.url, { type: 'https' });
    expect((await app.until('a', 'unhealthy')).reason).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it('does not look at the certificate with https_verify_certificate: false', async () => {
    const page = await startPage();
    const app = await startChecked(page.url, { type: 'https', https_verify_certificate: false });
    expect((await app.until('a', 'healthy')).reason).toBe('status 200');
  });

  it('names the host it was given, in the handshake and in the request', async () => {
    const hosts: (string | undefined)[] = [];
    const page = await startTlsUpstream((req, res) => {
      hosts.push(req.headers.host);
      answerJson(res, 200, {});
    });
    const checks = { type: 'https', host: 'llm.test', https_verify_certificate: false } as const;
    const app = await startChecked(page.url, checks);
    await app.until('a', 'healthy');
    expect([page.names, hosts]).toEqual([['llm.test'], ['llm.test']]);
  });

  it('goes over TLS to another port of an instance that is asked without', async () => {
    const [llm, page] = [await startUpstream(echoModel()), await startPage()];
    const checks = { type: 'https', port: page.port, https_verify_certificate: false } as const;
    const app = await startChecked(llm.url, checks);
    await app.until('a', 'healthy');
    expect([llm.calls.length, page.connections]).toEqual([0, 1]);
  });
});

describe('a tcp check', () => {
  it('is about the connection alone', async () => {
    const patient = await startPatient();
    patient.fallIll();
    const app = await startChecked(patient.url, { type: 'tcp' });
    expect((await app.until('a', 'healthy')).reason).toBe('connected');
    await patient.goAway();
    expect((await app.until('a', 'unhealthy')).reason).toBe('ECONNREFUSED');
    await patient.comeBack();
    await app.until('a', 'healthy');
    expect(patient.calls).toEqual([]);
  });
});
