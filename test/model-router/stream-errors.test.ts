import { describe, expect, it } from 'vitest';
import { connectRaw, rawPost } from '../support/raw.ts';
import { chatEvent, doneEvent, startUpstream } from '../support/upstream.ts';
import { aliasOf, keyFor, modelFor, startRouter } from './started-router.ts';

const asking = JSON.stringify({ model: 'chat', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
const errorEvent = 'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n';

async function answerTo(...writes: readonly string[]): Promise<string> {
  const llm = await startUpstream((_call, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const text of writes) res.write(text);
    res.end();
  });
  const { port } = await startRouter({
    provider_keys: [keyFor('a', llm.url)],
    models: [modelFor('a'), aliasOf('chat', ['a'])],
  });
  const client = await connectRaw(port);
  client.write(rawPost('/v1/chat/completions', asking));
  return client.closed();
}

describe('an error in a stream that has begun', () => {
  it.each([
    ['in a write of its own', [chatEvent('Hi'), errorEvent, doneEvent]],
    ['in one write with what was before it', [chatEvent('Hi') + errorEvent]],
    ['without the blank line that would end it', [chatEvent('Hi') + errorEvent.trimEnd()]],
  ])('ends it as one that is not whole, %s', async (_how, writes) => {
    const answer = await answerTo(...writes);
    expect(answer).toContain('"content":"Hi"');
    expect(answer.match(/event: error/g)).toHaveLength(1);
    expect(answer).not.toContain('[DONE]');
    // The chunk that would complete the body.
    expect(answer).not.toMatch(/\r\n0\r\n/);
    expect(answer.toLowerCase()).not.toContain('content-length');
  });
});
