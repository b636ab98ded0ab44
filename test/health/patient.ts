import { once } from 'node:events';
import { answerJson, type Call, echoModel, startUpstream, type Upstream } from '../support/upstream.ts';

/** An LLM with a page at `/health`. */
export interface Patient extends Upstream {
  /** What has come in at `/health`. */
  readonly probes: readonly Call[];
  /** What has come in elsewhere. */
  readonly requests: readonly Call[];
  /** The page answers 503 from now on, and so do requests. */
  fallIll(): void;
  recover(): void;
  /** Resolves when that many probes have come in. */
  probed(count: number): Promise<void>;
  /** Stops listening and drops every connection. */
  goAway(): Promise<void>;
  /** Listens on the same port again. */
  comeBack(): Promise<void>;
}

export async function startPatient(): Promise<Patient> {
  const probes: Call[] = [];
  const requests: Call[] = [];
  let isIll = false;
  const waiting: (() => void)[] = [];
  const answer = echoModel();
  const upstream = await startUpstream((call, res, req) => {
    const isProbe = call.url.startsWith('/health');
    (isProbe ? probes : requests).push(call);
    if (isProbe) for (const resolve of waiting.splice(0)) resolve();
    if (isIll) answerJson(res, 503, { error: { message: 'ill' } });
    else if (isProbe) answerJson(res, 200, { status: 'ok' });
    else answer(call, res, req);
  });
  const { server, sockets, port } = upstream;
  return {
    ...upstream,
    get connections() {
      return upstream.connections;
    },
    probes,
    requests,
    fallIll() {
      isIll = true;
    },
    recover() {
      isIll = false;
    },
    async probed(count) {
      while (probes.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async goAway() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async comeBack() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
}
