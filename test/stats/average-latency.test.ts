import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compilePlan } from '../../lib/compile-plan.ts';
import { loadMultiConfig } from '../../lib/config/load-config.ts';
import { resolveHost } from '../../lib/resolve-host.ts';
import { Attempt } from '../../lib/upstream/attempt.ts';
import { instance } from '../support/app.ts';
import { chatEvent, startUpstream } from '../support/upstream.ts';

/** One try on an upstream, which answers through the response that comes with it. */
async function tryOnce() {
  const host = resolveHost({});
  let onCall = (_res: ServerResponse): void => {};
  const called = new Promise<ServerResponse>((resolve) => {
    onCall = resolve;
  });
  const upstream = await startUpstream((_call, res) => onCall(res));
  const config = { instances: [instance('a', upstream.url)] };
  const plan = compilePlan(loadMultiConfig(config, host.logger, { hasSecretResolver: false }), host);
  onTestFinished(() => plan.close());
  const [target] = plan.instances;
  if (target === undefined) throw new Error('no instance');
  const request = { method: 'GET', path: '/', headers: {}, body: undefined };
  const attempt = new Attempt(target, request, [], plan.attemptRules(target, false), plan);
  const ended = new Promise<void>((resolve) => {
    void attempt.outcome.then(() =>
      attempt.pipeTo({ onData() {}, onEnd: resolve, onFailure: () => resolve() }),
    );
  });
  return { attempt, metrics: target.metrics, ended, res: await called };
}

const eventStream = { 'content-type': 'text/event-stream' };

describe('the average latency that balancers go by', () => {
  it('takes in the whole time of a plain answer', async () => {
    const { attempt, metrics, ended, res } = await tryOnce();
    expect(metrics.averageLatencyMs).toBeUndefined();
    res.write('{');
    await attempt.outcome;
    expect(metrics).toMatchObject({ inFlight: 1, averageLatencyMs: undefined });
    res.end('}');
    await ended;
    expect(metrics.averageLatencyMs).toBeGreaterThan(attempt.firstTokenMs ?? Number.NaN);
    expect(metrics.inFlight).toBe(0);
  });

  it('takes in the time to the first token of a stream, and not how long it goes on', async () => {
    const { attempt, metrics, ended, res } = await tryOnce();
    res.writeHead(200, eventStream).write(chatEvent('Hel'));
    await attempt.outcome;
    const firstTokenMs = attempt.firstTokenMs ?? Number.NaN;
    expect(metrics.averageLatencyMs).toBe(firstTokenMs);
    res.end(chatEvent('lo'));
    await ended;
    expect(metrics.averageLatencyMs).toBe(firstTokenMs);
  });

  it.each([401, 429, 503])('does not take in a %i, which may be quick', async (status) => {
    const { metrics, ended, res } = await tryOnce();
    res.writeHead(status).end('{}');
    await ended;
    expect(metrics.averageLatencyMs).toBeUndefined();
  });

  it('does not take in a stream that begins with an error', async () => {
    const { metrics, ended, res } = await tryOnce();
    res.writeHead(200, eventStream).end('data: {"error":{"type":"overloaded_error"}}\n\n');
    await ended;
    expect(metrics.averageLatencyMs).toBeUndefined();
  });

  it('does not take in an answer that breaks off', async () => {
    const { metrics, ended, res } = await tryOnce();
    res.writeHead(200, { 'content-length': '10' }).write('{', () => res.destroy());
    await ended;
    expect(metrics.averageLatencyMs).toBeUndefined();
  });
});
