import { describe, expect, it } from 'vitest';
import { instance, post, startApp } from '../support/app.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';

const messages = [{ role: 'user', content: 'Hi' }];

/** An object with this many members. */
function manyMembers(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`member-${index}`, index]));
}

async function startGateway() {
  const upstream = await startUpstream(echoModel());
  const app = await startApp({ instances: [instance('one', upstream.url, { options: {} })] });
  return { app, upstream };
}

describe('stream_options', () => {
  it('larger than 64 KiB are refused, since they would be parsed and written again', async () => {
    const { app, upstream } = await startGateway();
    const stream_options = manyMembers(10_000);
    const answer = await post(app.url, { messages, stream: true, stream_options });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { error: { code: 'stream_options_too_large' } },
    ]);
    expect(upstream.calls).toEqual([]);
  });

  it('of other protocols are nobody else’s business', async () => {
    const { app, upstream } = await startGateway();
    const body = JSON.stringify({ input: 'Hi', stream_options: manyMembers(10_000) });
    expect((await post(`${app.url}/v1/embeddings`, body)).status).toBe(200);
    expect(upstream.calls[0]?.body).toBe(body);
  });
});

it('a "stream" of megabytes asks for none, and goes on as it came', async () => {
  const { app, upstream } = await startGateway();
  const body = JSON.stringify({ messages, stream: manyMembers(100_000) });
  expect((await post(app.url, body)).status).toBe(200);
  expect(upstream.calls[0]?.body).toBe(body);
  expect(app.finished[0]).toMatchObject({ llm_stream: false });
});
