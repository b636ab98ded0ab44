import { describe, expect, it } from 'vitest';
import { instance, startApp } from '../support/app.ts';
import { answerJson, chatAnswer, startUpstream } from '../support/upstream.ts';

const cooldown = { default_seconds: 60 };

async function startBenched() {
  const failing = await startUpstream((_call, res) => answerJson(res, 500, { error: {} }));
  const good = await startUpstream((_call, res) => answerJson(res, 200, chatAnswer('m')));
  const config = (weight: number, rules: object = cooldown) => ({
    fallback_strategy: ['http_5xx' as const],
    instances: [
      instance('failing', failing.url, { priority: 1, weight, cooldown: rules }),
      instance('good', good.url),
    ],
  });
  const app = await startApp(config(1));
  const ask = async (): Promise<void> => {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${app.url}/v1/chat/completions`, { method: 'POST', headers, body });
    await answer.text();
  };
  await ask();
  return { app, config, failing, ask };
}

describe('update()', () => {
  it('does not forgive an instance that cools down and stays the same', async () => {
    const { app, config, failing, ask } = await startBenched();
    app.middleware.update(config(2));
    await ask();
    expect(failing.calls).toHaveLength(1);
  });

  it('begins anew with an instance whose cooldown has changed', async () => {
    const { app, config, failing, ask } = await startBenched();
    app.middleware.update(config(1, { default_seconds: 61 }));
    await ask();
    expect(failing.calls).toHaveLength(2);
  });
});
