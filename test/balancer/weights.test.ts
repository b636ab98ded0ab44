import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';
import { askInTurn, askWho, countOf, failFor, modelIn } from './ask.ts';

/** A gateway to one upstream with an instance for each weight. */
async function startWeighted(weights: Readonly<Record<string, number>>, script = echoModel(), more = {}) {
  const upstream = await startUpstream(script);
  const instances = Object.entries(weights).map(([name, weight]) => instance(name, upstream.url, { weight }));
  return { upstream, app: await startApp({ ...more, instances }) };
}

describe('weights', () => {
  it('sends exactly 8 and 2 of ten requests to weights of 8 and 2, spread out', async () => {
    const { app } = await startWeighted({ a: 8, b: 2 });
    const names = await askInTurn(app.url, 20);
    for (const ten of [names.slice(0, 10), names.slice(10)]) {
      expect(countOf(ten, 'a')).toBe(8);
      expect(countOf(ten, 'b')).toBe(2);
      expect(ten.lastIndexOf('b') - ten.indexOf('b')).toBe(5);
    }
  });

  it('sends exactly 8 and 2 of ten requests that come at the same time', async () => {
    const { app } = await startWeighted({ a: 8, b: 2 });
    const names = await Promise.all(Array.from({ length: 10 }, () => askWho(app.url)));
    expect(countOf(names, 'a')).toBe(8);
    expect(countOf(names, 'b')).toBe(2);
  });

  it('cycles through three equal ones', async () => {
    const { app } = await startWeighted({ a: 1, b: 1, c: 1 });
    expect(await askInTurn(app.url, 6)).toEqual('a b c a b c'.split(' '));
  });

  it('shares equally where all weights are 0', async () => {
    const { app } = await startWeighted({ a: 0, b: 0, c: 0 });
    const names = await askInTurn(app.url, 6);
    for (const name of ['a', 'b', 'c']) expect(countOf(names, name)).toBe(2);
  });

  it('serves a single instance whose weight is 0', async () => {
    const { app } = await startWeighted({ a: 0 });
    expect(await askInTurn(app.url, 2)).toEqual(['a', 'a']);
  });

  it('sends nothing to a weight of 0 beside others', async () => {
    const { app, upstream } = await startWeighted({ a: 1, idle: 0, c: 1 });
    expect(await askInTurn(app.url, 6)).toEqual('a c a c a c'.split(' '));
    expect(upstream.calls.map(({ body }) => modelIn(body))).not.toContain('model-idle');
  });

  it('sends nothing to a weight of 0 beside others, not even as a fallback', async () => {
    const down = new Set(['model-a']);
    const { app, upstream } = await startWeighted({ a: 1, idle: 0 }, failFor(down), {
      fallback_strategy: ['http_429', 'http_5xx'],
    });
    expect(await askWho(app.url)).toBe('503');
    expect(upstream.calls.map(({ body }) => modelIn(body))).toEqual(['model-a']);
    expect(app.finished[0]?.llm_attempts).toMatchObject([{ instance: 'a', status: 503 }]);
  });

  it('keeps the shares while an instance fails over and after it is well again', async () => {
    const down = new Set<string>();
    const { app } = await startWeighted({ a: 1, b: 1 }, failFor(down), { fallback_strategy: 'http_5xx' });
    down.add('model-a');
    expect(await askInTurn(app.url, 4)).toEqual(['b', 'b', 'b', 'b']);
    down.clear();
    const names = await askInTurn(app.url, 10);
    expect(countOf(names, 'a')).toBe(5);
    expect(countOf(names, 'b')).toBe(5);
  });

  it('keeps the shares of chat whatever else is asked in between that not every instance can do', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp({
      instances: [
        instance('both', upstream.url),
        instance('chat-only', upstream.url, { provider: 'deepseek' }),
      ],
    });
    const chats: string[] = [];
    for (let index = 0; index < 6; index++) {
      chats.push(await askWho(app.url));
      await post(`${app.url}/embeddings`, { input: 'Hi' });
    }
    expect(countOf(chats, 'both')).toBe(3);
    expect(countOf(chats, 'chat-only')).toBe(3);
  });

  it('begins a new round with the weights of an update', async () => {
    const { app, upstream } = await startWeighted({ a: 1, b: 1 });
    await askInTurn(app.url, 1);
    app.middleware.update({
      instances: [instance('a', upstream.url, { weight: 1 }), instance('b', upstream.url, { weight: 3 })],
    });
    const names = await askInTurn(app.url, 8);
    expect(countOf(names, 'a')).toBe(2);
    expect(countOf(names, 'b')).toBe(6);
  });

  it('keeps the shares of each middleware apart', async () => {
    const first = await startWeighted({ a: 1, b: 1 });
    const second = await startWeighted({ a: 1, b: 1 });
    expect(await askWho(first.app.url)).toBe('a');
    expect(await askWho(second.app.url)).toBe('a');
    expect(await askWho(first.app.url)).toBe('b');
  });

  it('takes a turn for an answer that is an error but no failure', async () => {
    const { app } = await startWeighted({ a: 1, b: 1 }, (call, res) =>
      answerJson(res, modelIn(call.body) === 'model-a' ? 400 : 200, { model: 'model-b' }),
    );
    expect(await askInTurn(app.url, 4)).toEqual(['400', 'b', '400', 'b']);
  });
});
