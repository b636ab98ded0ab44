import { describe, expect, it } from 'vitest';
import { askInTurn } from '../balancer/ask.ts';
import { instance, post } from '../support/app.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';
import { quickChecks, startHealthApp } from './health-app.ts';
import { startPair } from './pair.ts';
import { startPatient } from './patient.ts';

describe('instances that are all down', () => {
  it('are tried all the same', async () => {
    const [a, b] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const page = await startPatient();
    page.fallIll();
    const checks = quickChecks({ port: page.port });
    const app = await startHealthApp({
      instances: [instance('a', a.url, checks), instance('b', b.url, checks)],
    });
    await Promise.all(['a', 'b'].map((name) => app.until(name, 'unhealthy')));
    expect((await askInTurn(app.url, 4)).sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  it('are logged once each time, not with each request', async () => {
    const { app, a, b } = await startPair();
    const lines = () => app.logs.filter(({ message }) => message.includes('all instances are unhealthy'));
    for (const patient of [a, b]) patient.fallIll();
    await Promise.all(['a', 'b'].map((name) => app.until(name, 'unhealthy')));
    expect(await askInTurn(app.url, 5)).toEqual(Array(5).fill('503'));
    expect(lines()).toEqual([
      {
        level: 'warn',
        data: { instances: 2 },
        message: 'all instances are unhealthy; requests are tried all the same',
      },
    ]);
    a.recover();
    await app.until('a', 'healthy');
    a.fallIll();
    await app.until('a', 'unhealthy');
    expect(lines()).toHaveLength(2);
  });

  it('are those that could serve the request: the others do not count', async () => {
    const [llm, page] = [await startUpstream(echoModel()), await startPatient()];
    page.fallIll();
    const app = await startHealthApp({
      instances: [
        instance('both', llm.url, quickChecks({ port: page.port })),
        // It speaks no embeddings.
        instance('chat-only', llm.url, { provider: 'deepseek' }),
      ],
    });
    await app.until('both', 'unhealthy');
    expect((await post(`${app.url}/v1/embeddings`, { input: 'Hi' })).status).toBe(200);
    expect(await askInTurn(app.url, 2)).toEqual(['chat-only', 'chat-only']);
  });

  it('are those that get traffic: one of weight 0 does not count', async () => {
    const [llm, page] = [await startUpstream(echoModel()), await startPatient()];
    page.fallIll();
    const app = await startHealthApp({
      instances: [
        instance('ill', llm.url, quickChecks({ port: page.port })),
        instance('idle', llm.url, { weight: 0 }),
      ],
    });
    await app.until('ill', 'unhealthy');
    expect(await askInTurn(app.url, 2)).toEqual(['ill', 'ill']);
  });
});
