import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';

interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

let certificate: Certificate | undefined;

/** A certificate for 127.0.0.1 and localhost that nobody has signed but itself, made once per test file. */
export function selfSigned(): Certificate {
  certificate ??= makeCertificate();
  return certificate;
}

function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync('openssl', [...request, '-keyout', keyFile, '-out', certFile, '-days', '2', ...subject], {
      stdio: 'pipe',
    });
    return { key: readFileSync(keyFile), cert: readFileSync(certFile) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface TlsUpstream {
  readonly url: string;
  readonly port: number;
  readonly server: https.Server;
  /** Connections whose handshake was completed. */
  readonly connections: number;
  /** Names asked for in the handshakes (SNI). */
  readonly names: readonly (string | false)[];
}

/** An https server with a self-signed certificate, closed when the test ends. */
export async function startTlsUpstream(
  listener: Parameters<typeof https.createServer>[1],
): Promise<TlsUpstream> {
  const server = https.createServer({ ...selfSigned() }, listener);
  const names: (string | false)[] = [];
  server.on('secureConnection', (socket: TLSSocket & { servername?: string | false }) => {
    names.push(socket.servername ?? false);
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    server,
    get connections() {
      return names.length;
    },
    names,
  };
}
