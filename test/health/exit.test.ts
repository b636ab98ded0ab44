import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startHolding } from '../support/holding-upstream.ts';
import { startTlsUpstream } from '../support/tls.ts';
import { startPatient } from './patient.ts';

function startProcess(url: string, type: 'http' | 'https' | 'tcp', secret = 'none') {
  const child = spawn(process.execPath, ['test/health/exiting-process.js', url, type, secret], {
    cwd: inject('checkout'),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

describe('a process with health checks that it never closes ends by itself', () => {
  it.each(['http', 'tcp'] as const)('between two probes (%s)', async (type) => {
    const patient = await startPatient();
    const child = startProcess(patient.url.replace('127.0.0.1', 'localhost'), type);
    await once(child.stdout, 'data');
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('between two probes (https)', async () => {
    const upstream = await startTlsUpstream((_req, res) => res.end('{}'));
    const child = startProcess(upstream.url, 'https');
    await once(child.stdout, 'data');
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('while a probe waits for a secret that never comes', async () => {
    const child = startProcess('http://127.0.0.1:9', 'http', 'hanging-secret');
    await once(child.stdout, 'data');
    const end = performance.now();
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
    // Secrets have ten seconds.
    expect(performance.now() - end).toBeLessThan(9000);
  });

  it('while a probe waits for its answer', async () => {
    const holding = await startHolding();
    const child = startProcess(holding.url, 'http');
    await holding.holding(1);
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
