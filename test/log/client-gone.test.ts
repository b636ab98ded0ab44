import { once } from 'node:events';
import type { AttemptRecord } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent } from '../support/upstream.ts';
import * as answers from './answers.ts';
import { expectTyped } from './expect-typed.ts';
import { answerWith, type Observed, observe } from './observe.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const fromLlm = { llm_instance: 'llm', llm_provider: 'openai-compatible', llm_model: 'gpt-4o' };

/** A client that hangs up when the upstream has got its request, or has sent an event. */
async function hangUp({ app, first }: Observed, until: Promise<unknown> | string, streams: boolean) {
  const client = await connectRaw(app.port);
  client.write(rawPost('/', JSON.stringify({ messages, stream: streams })));
  await (typeof until === 'string' ? client.until(until) : until);
  client.socket.destroy();
  return first;
}

describe('a client that hangs up', () => {
  it('leaves every variable with its type while the answer is waited for', async () => {
    let arrived: () => void = () => {};
    const called = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const variables = await hangUp(await observe(() => arrived()), called, false);
    expectTyped(variables);
    expect(variables).toMatchObject({
      request_type: 'ai_chat',
      ...fromLlm,
      llm_total_tokens: 0,
      llm_outcome: 'client_gone',
    });
  });

  it('has the attempt that was under way in the list', async () => {
    let arrived: () => void = () => {};
    const called = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const variables = await hangUp(await observe(() => arrived()), called, false);
    expect(variables.llm_attempts).toEqual([
      { instance: 'llm', error: 'client_closed_request', duration_ms: expect.any(Number) },
    ]);
  });

  it('leaves every variable with its type in the middle of a stream', async () => {
    const observed = await observe((_call, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(chatEvent('first', { usage: answers.openaiUsage }));
    });
    const variables = await hangUp(observed, 'first', true);
    expectTyped(variables);
    expect(variables).toMatchObject({
      request_type: 'ai_stream',
      llm_stream: true,
      ...fromLlm,
      ...answers.openaiCounts,
      llm_outcome: 'client_gone',
      llm_attempts: [{ instance: 'llm', status: 200, duration_ms: expect.any(Number) }],
    });
  });

  it('leaves every variable with its type while it was still sending', async () => {
    const { app, first } = await observe(answerWith(answers.chat()));
    const client = await connectRaw(app.port);
    const received = new Promise((resolve) => app.server.once('request', resolve));
    client.write(rawPost('/', JSON.stringify({ messages })).slice(0, -10));
    await received;
    client.socket.destroy();
    expectTyped(await first);
    expect(await first).toMatchObject({ llm_outcome: 'client_gone', llm_attempts: [], llm_instance: '' });
  });

  it('tells onAttempt of the attempt that was under way', async () => {
    let arrived: () => void = () => {};
    const called = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const told: AttemptRecord[] = [];
    const observed = await observe(() => arrived(), { host: { onAttempt: (record) => told.push(record) } });
    await hangUp(observed, called, false);
    expect(told).toEqual([
      { instance: 'llm', error: 'client_closed_request', duration_ms: expect.any(Number) },
    ]);
  });

  it('leaves no listeners behind on a connection that stays', async () => {
    const { app } = await observe(answerWith(answers.chat()));
    const connected = once(app.server, 'connection');
    const client = await connectRaw(app.port);
    const [socket] = await connected;
    const counts: unknown[] = [];
    app.server.on('request', () => counts.push(socket.listenerCount('error')));
    for (let index = 1; index <= 5; index++) {
      client.write(rawPost('/', JSON.stringify({ messages })));
      while (client.received.split('"total_tokens":2306').length <= index) await once(client.socket, 'data');
    }
    expect(new Set(counts).size).toBe(1);
  });
});
