// A host's time-out middleware may answer while an LLM is still asked. Behind an earlier response of a pipelining
// client, its answer waits, and nothing closes that would tell the gateway.

import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type App, instance, startApp } from '../support/app.ts';
import { connectRaw, type RawClient, rawPost } from '../support/raw.ts';
import { answerJson, chatAnswer, chatEvent, startUpstream } from '../support/upstream.ts';

const HEAD_OF_STREAM = { 'content-type': 'text/event-stream' };

interface Pipelined {
  readonly app: App;
  readonly client: RawClient;
  /** The host's response objects, in the order of the requests. */
  readonly hosts: readonly ServerResponse[];
  /** The LLM's response objects, by the model asked for. */
  readonly llms: ReadonlyMap<string, ServerResponse>;
}

function modelIn(body: string): string {
  return /"model":"(\w+)"/.exec(body)?.[1] ?? '';
}

/** Two requests on one connection, for the models `first` and `second`, both of which the LLM holds. */
async function pipeline(): Promise<Pipelined> {
  const hosts: ServerResponse[] = [];
  const llms = new Map<string, ServerResponse>();
  let changed = (): void => {};
  const upstream = await startUpstream((call, res) => {
    llms.set(modelIn(call.body), res);
    changed();
  });
  const app = await startApp(
    { instances: [instance('one', upstream.url, { options: {} })] },
    {
      before: (server) =>
        server.use((_req, res, next) => {
          hosts.push(res);
          next();
        }),
    },
  );
  const client = await connectRaw(app.port);
  const post = (model: string, more: readonly string[] = []): string =>
    rawPost('/v1/chat/completions', JSON.stringify({ model, messages: [], stream: true }), more);
  client.write(post('first') + post('second', ['Connection: close']));
  while (llms.size < 2)
    await new Promise<void>((resolve) => {
      changed = resolve;
    });
  return { app, client, hosts, llms };
}

/** How the LLM may go on after the host has answered. */
const answers = {
  'a plain answer': (res) => answerJson(res, 200, chatAnswer('late')),
  'an event': (res) => res.writeHead(200, HEAD_OF_STREAM).write(chatEvent('late')),
  'a broken connection': (res) => res.socket?.destroy(),
  'an error of its own': (res) => answerJson(res, 500, { error: 'late' }),
} satisfies Record<string, (res: ServerResponse) => unknown>;

const cases = Object.entries(answers).map(([name, answer]) => ({ name, answer }));

function answerWith(
  llms: ReadonlyMap<string, ServerResponse>,
  model: string,
  answer: (res: ServerResponse) => unknown,
): void {
  const res = llms.get(model);
  if (res !== undefined) answer(res);
}

describe.each(cases)('$name that comes after the host has answered', ({ answer }) => {
  it('is not sent where the host has ended its answer', async () => {
    const { app, client, hosts, llms } = await pipeline();
    hosts[1]?.end('host timeout');
    answerWith(llms, 'second', answer);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
    answerWith(llms, 'first', (res) => answerJson(res, 200, chatAnswer('early')));
    const received = await client.closed();
    expect(received).toContain('"early"');
    expect(received).toContain('host timeout');
    expect(received).not.toContain('late');
  });

  it('is not sent where the host has begun its answer', async () => {
    const { app, client, hosts, llms } = await pipeline();
    hosts[1]?.write('host ');
    answerWith(llms, 'second', answer);
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
    hosts[1]?.end('timeout');
    answerWith(llms, 'first', (res) => answerJson(res, 200, chatAnswer('early')));
    const received = await client.closed();
    expect(received).toMatch(/host \r\n.*\r\ntimeout\r\n0\r\n\r\n$/);
    expect(received).not.toContain('late');
  });
});

describe('a stream that the host ends in its middle', () => {
  it('is cut, and its LLM hung up on, with the next event', async () => {
    const { app, client, hosts, llms } = await pipeline();
    answerWith(llms, 'second', (res) => res.writeHead(200, HEAD_OF_STREAM).write(chatEvent('early')));
    while (hosts[1]?.headersSent === false) await new Promise((resolve) => setTimeout(resolve, 5));
    hosts[1]?.end('host timeout');
    const llm = llms.get('second');
    llm?.write(chatEvent('late'));
    expect(await app.ended(1)).toMatchObject([{ llm_outcome: 'cut' }]);
    while (llm?.destroyed === false) await new Promise((resolve) => setTimeout(resolve, 5));
    answerWith(llms, 'first', (res) => answerJson(res, 200, chatAnswer('first')));
    expect(await client.closed()).not.toContain('late');
  });
});
