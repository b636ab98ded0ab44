import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { logHealth, quickChecks } from '../health/health-app.ts';
import { instance } from '../support/app.ts';
import { answerJson, chatAnswer } from '../support/upstream.ts';
import { type MakeRoute, startRouting } from './routing.ts';

/** A route whose first instance fails its probes, while it would still answer chats. */
async function startWithOneDown() {
  const health = logHealth();
  const configure = (route: MakeRoute, { url }: { readonly url: string }) => ({
    routes: [
      route(
        'checked',
        {},
        {
          'ai-proxy-multi': {
            instances: [instance('down', url, quickChecks()), instance('up', url)],
          },
        },
      ),
    ],
  });
  const routing = await startRouting(configure, {
    host: { onHealth: health.onHealth },
    script(call, res) {
      if (call.url === '/health') answerJson(res, 500, {});
      else answerJson(res, 200, chatAnswer(call.body.includes('model-down') ? 'model-down' : 'model-up'));
    },
  });
  await health.until('down', 'unhealthy');
  return { ...routing, health, again: () => configure(routing.route, routing.llm) };
}

describe('health, after update() with an unchanged configuration', () => {
  it('is what it was', async () => {
    const { router, again } = await startWithOneDown();
    const healthNow = () => router.status().checked?.instances.map(({ health }) => health);
    const before = healthNow();
    expect(before).toMatchObject([{ state: 'unhealthy' }, {}]);
    router.update(again());
    expect(healthNow()).toEqual(before);
  });

  it('keeps requests away from an instance that is down', async () => {
    const { router, again, who } = await startWithOneDown();
    router.update(again());
    expect([await who('/chat'), await who('/chat'), await who('/chat')]).toEqual(['up', 'up', 'up']);
  });

  it('goes on being checked', async () => {
    const { router, again, llm, health } = await startWithOneDown();
    router.update(again());
    const probes = llm.calls.length;
    while (llm.calls.length < probes + 1) await once(llm.server, 'request');
    expect(llm.calls.at(-1)?.url).toBe('/health');
    expect(health.changes).toHaveLength(1);
  });
});
