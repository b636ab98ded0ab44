import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import { errorCode } from '../support/broken-upstreams.ts';
import { startTlsUpstream } from '../support/tls.ts';
import { chatAnswer, echoModel, startUpstream } from '../support/upstream.ts';

const startGood = () =>
  startTlsUpstream((req, res) => {
    req.resume();
    req.on('end', () => res.end(JSON.stringify(chatAnswer('over TLS'))));
  });

describe('an https endpoint', () => {
  it('with a self-signed certificate is refused, since ssl_verify is true by default', async () => {
    const upstream = await startGood();
    const app = await startApp({ instances: [instance('a', upstream.url)] });
    const answer = await post(app.url);
    expect(answer.status).toBe(502);
    expect(errorCode(await answer.json())).toBe('upstream_unreachable');
  });

  it('with a self-signed certificate moves on with http_5xx, and is sent no credentials', async () => {
    let requests = 0;
    const upstream = await startTlsUpstream(() => requests++);
    const good = await startUpstream(echoModel());
    const app = await startApp({
      fallback_strategy: 'http_5xx',
      instances: [instance('a', upstream.url, { priority: 1 }), instance('b', good.url)],
    });
    expect((await post(app.url)).status).toBe(200);
    expect(requests).toBe(0);
  });

  it('with a self-signed certificate is accepted with ssl_verify: false', async () => {
    const upstream = await startGood();
    const app = await startApp({ ssl_verify: false, instances: [instance('a', upstream.url)] });
    const answer = await post(app.url);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ model: 'over TLS' });
  });

  it('keeps its connection for the next request', async () => {
    const upstream = await startGood();
    const app = await startApp({ ssl_verify: false, instances: [instance('a', upstream.url)] });
    for (let index = 0; index < 3; index++) await (await post(app.url)).text();
    expect(upstream.connections).toBe(1);
  });

  it('is named in the handshake', async () => {
    const upstream = await startGood();
    const endpoint = `https://localhost:${upstream.port}`;
    const app = await startApp({ ssl_verify: false, instances: [instance('a', endpoint)] });
    expect((await post(app.url)).status).toBe(200);
    expect(upstream.names).toEqual(['localhost']);
  });

  it('whose idle connection the server has closed is asked again on a fresh one', async () => {
    let requests = 0;
    const upstream = await startTlsUpstream((req, res) => {
      req.resume();
      requests++;
      if (requests === 2) req.socket.end();
      else res.end('{}');
    });
    const app = await startApp({ ssl_verify: false, instances: [instance('a', upstream.url)] });
    await (await post(app.url)).text();
    expect((await post(app.url)).status).toBe(200);
    expect(requests).toBe(3);
    expect(app.middleware.status().instances[0]).toMatchObject({ attempts: 2, replays: 1 });
  });

  it('that does not speak TLS is an instance that cannot be reached', async () => {
    const plain = await startUpstream(echoModel());
    const app = await startApp({
      instances: [instance('a', `https://127.0.0.1:${plain.port}`)],
      ssl_verify: false,
    });
    expect((await post(app.url)).status).toBe(502);
    expect(plain.calls).toHaveLength(0);
  });
});
