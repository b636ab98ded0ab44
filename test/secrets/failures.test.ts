import { afterEach, describe, expect, it, vi } from 'vitest';
import { chatEvent, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import { echoOf, expectNoSecretIn, headOf, MARK, secretInstance, startWitness } from './witness.ts';

afterEach(() => vi.unstubAllEnvs());

/** Answers with a status, and with everything it was told. */
function echo(status: number, type = 'application/json'): Script {
  return (call, res) => {
    const { headers, text } = echoOf(call);
    res.writeHead(status, `${MARK} in the status line`, { 'content-type': type, ...headers });
    res.end(text);
  };
}

function streamOf(...write: ((text: string) => string)[]): Script {
  return (call, res) => {
    const { headers, text } = echoOf(call);
    res.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    for (const part of write) res.write(part(text));
    res.end();
  };
}

const errorEvent = (text: string): string => `data: ${text}\n\n`;

const STREAMING = '{"messages":[],"stream":true}';

describe('no secret is seen outside of the answer of an LLM that tells everything back', () => {
  it.each([200, 301, 400, 401, 404, 429, 500, 503, 529])('with %i', async (status) => {
    const llm = await startUpstream(echo(status));
    const { ask, seen } = await startWitness({ instances: [secretInstance('a', llm.url)] });
    const answer = await ask();
    // The body passes untouched: what it holds shows that the secrets were sent at all.
    expect(answer).toContain(`${MARK}-in-a-header`);
    expect(answer).toContain(`${MARK}-in-a-vault`);
    expect(headOf(answer)).toContain('x-served-by: a');
    expectNoSecretIn(headOf(answer));
    expectNoSecretIn(seen());
  });

  it('with an answer that is no JSON', async () => {
    const llm = await startUpstream(echo(400, 'text/plain'));
    const { ask, seen } = await startWitness({ instances: [secretInstance('a', llm.url)] });
    expectNoSecretIn(headOf(await ask()));
    expectNoSecretIn(seen());
  });

  it('with a stream', async () => {
    const llm = await startUpstream(streamOf(() => chatEvent('Hi'), errorEvent));
    const { ask, seen } = await startWitness({ instances: [secretInstance('a', llm.url)] });
    const answer = await ask(STREAMING);
    expect(answer).toContain(MARK);
    expectNoSecretIn(headOf(answer));
    expectNoSecretIn(seen());
  });
});

describe('no secret is seen anywhere when the request moves on from an LLM that tells everything back', () => {
  it.each<[string, Script]>([
    ['with a 401', echo(401)],
    ['with a 429', echo(429)],
    ['with a 500', echo(500)],
    ['with a 503 in plain text', echo(503, 'text/plain')],
    ['in the first event of a stream', streamOf(errorEvent)],
  ])('%s', async (_how, script) => {
    const [failing, working] = [await startUpstream(script), await startUpstream(echoModel())];
    const { ask, seen, logged } = await startWitness({
      fallback_strategy: ['http_429', 'http_5xx'],
      fallback_http_statuses: [401],
      instances: [
        secretInstance('failing', failing.url, { priority: 1 }),
        secretInstance('working', working.url),
      ],
    });
    const answer = await ask(STREAMING);
    expect(answer).toContain('x-served-by: working');
    expect((await logged(1)).map(({ data }) => data)).toMatchObject([
      { instance: 'failing', body: expect.stringContaining('***') },
    ]);
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });
});

describe('no secret is seen anywhere in what the gateway answers itself', () => {
  it.each<[what: string, code: string, Script, body?: string]>([
    ['an LLM that resets the connection', 'upstream_reset', (call) => call.socket.resetAndDestroy()],
    ['an LLM that never answers', 'upstream_timeout', () => {}],
    [
      'an LLM that stops before its first byte',
      'upstream_timeout',
      (call, res) => res.writeHead(200, echoOf(call).headers).flushHeaders(),
    ],
    [
      'an LLM that does not speak HTTP',
      'upstream_invalid_answer',
      (call) => call.socket.end(`HTTP/1.1 2oo ${echoOf(call).text}\r\n\r\n`),
    ],
    [
      'an LLM that answers too much',
      'response_too_large',
      (call, res) => res.writeHead(200, echoOf(call).headers).end('x'.repeat(20_000)),
    ],
    ['a client that sends no JSON', 'invalid_json', echoModel(), '{"messages"'],
    ['a client that sends no object', 'body_not_an_object', echoModel(), '[]'],
  ])('because of %s', async (_what, code, script, body) => {
    const llm = await startUpstream(script);
    const { ask, seen } = await startWitness({
      timeout: 500,
      max_response_bytes: 10_000,
      fallback_strategy: ['http_5xx'],
      instances: [secretInstance('a', llm.url), secretInstance('b', llm.url)],
    });
    const answer = await ask(body);
    expect(answer).toContain(`"code":"${code}"`);
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });

  it('because of an LLM that is not there', async () => {
    const llm = await startUpstream(echoModel());
    await llm.close();
    const { ask, seen } = await startWitness({
      fallback_strategy: ['http_5xx'],
      instances: [secretInstance('a', llm.url), secretInstance('b', llm.url)],
    });
    const answer = await ask();
    expect(answer).toContain('"code":"upstream_unreachable"');
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });

  it.each<[string, Script]>([
    ['breaks off', (_call, res) => res.write(chatEvent('Hi'), () => res.destroy())],
    ['falls silent', (_call, res) => res.write(chatEvent('Hi'))],
  ])('because of a stream that %s', async (_how, end) => {
    const llm = await startUpstream((call, res, req) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', ...echoOf(call).headers });
      end(call, res, req);
    });
    const { ask, seen } = await startWitness({ timeout: 80, instances: [secretInstance('a', llm.url)] });
    const answer = await ask(STREAMING);
    expect(answer).toContain('upstream_stream_cut');
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });
});
