import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { askInTurn, countOf } from '../balancer/ask.ts';
import { pointToLoopback, readPlugin, setKeys } from '../seeds/seed.ts';
import { answerJson, chatAnswer, startUpstream } from '../support/upstream.ts';

/** A certificate for the host that the page checks, signed by itself, in files of their own. */
function makeCertificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=yourhost.com', '-addext', 'subjectAltName=DNS:yourhost.com,IP:127.0.0.1'];
  const output = ['-keyout', files.key, '-out', files.cert, '-days', '2'];
  execFileSync('openssl', [...request, ...output, ...subject], { stdio: 'pipe' });
  return files;
}

/** The page's second LLM. */
async function startChecked({ key, cert }: { readonly key: string; readonly cert: string }) {
  let status = 200;
  const probes: string[] = [];
  const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (req, res) => {
    req.resume();
    if (req.method === 'POST') {
      answerJson(res, 200, chatAnswer('two'));
      return;
    }
    probes.push(`${req.headers.host}${req.url} ${req.headers.authorization}`);
    answerJson(res, status, {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    url: `https://127.0.0.1:${address.port}`,
    probes,
    answerProbes(replacement: number) {
      status = replacement;
    },
  };
}

/** A gateway in a process of its own, since only a new one can be told to trust a certificate. */
function startGateway(config: object, trusted: string) {
  const child = spawn(process.execPath, ['test/health/gateway-process.js', JSON.stringify(config)], {
    cwd: inject('checkout'),
    env: { ...process.env, NODE_EXTRA_CA_CERTS: trusted },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill();
    await once(child, 'exit');
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  /** The rest of the next line that begins like this. */
  return async (beginning: string): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the gateway ended before ${beginning}`);
      if (value.startsWith(beginning)) return value.slice(beginning.length);
    }
  };
}

describe("seed 003's active checks, over https with a certificate that is verified", () => {
  it('take an instance out after three bad answers and back after a good one', async () => {
    setKeys();
    const files = makeCertificate();
    const first = await startUpstream((_call, res) => answerJson(res, 200, chatAnswer('one')));
    const second = await startChecked(files);
    const origins = { 'llm-instance-1': first.url, 'llm-instance-2': second.url };
    const next = startGateway(pointToLoopback(readPlugin('003-checks'), origins), files.cert);
    const url = `http://127.0.0.1:${await next('port ')}`;

    await next('llm-instance-2 healthy');
    expect(second.probes[0]).toBe('yourhost.com/your/probe/path Bearer own-key');
    const shared = await askInTurn(url, 4);
    expect([countOf(shared, 'one'), countOf(shared, 'two')]).toEqual([2, 2]);

    const good = second.probes.length;
    second.answerProbes(503);
    await next('llm-instance-2 unhealthy');
    expect(second.probes.length).toBe(good + 3);
    expect(await askInTurn(url, 4)).toEqual(Array(4).fill('one'));

    second.answerProbes(200);
    await next('llm-instance-2 healthy');
    expect((await askInTurn(url, 4)).sort()).toEqual(['one', 'one', 'two', 'two']);
    expect(first.calls.every(({ method }) => method === 'POST')).toBe(true);
  });
});
