/**
 * Upstreams tell back what they were sent, in errors above all, and callers pass on what they are told. None of it may
 * hold the keys that the router has put into the request, nor anybody's own.
 */
import { EventEmitter, once } from 'node:events';
import { inspect } from 'node:util';
import { llmVariables, type ModelRouterConfig } from 'ai-proxy-multi';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connectRaw, rawPost } from '../support/raw.ts';
import { answerJson, chatEvent, echoModel, type Script, startUpstream } from '../support/upstream.ts';
import { aliasOf, callerFor, keyFor, modelFor, startRouter } from './started-router.ts';

afterEach(() => vi.unstubAllEnvs());

/** A part of every secret here, and of nothing else. */
const MARK = 'hunter2';
const CALLERS_KEY = `sk-${MARK}-of-a-caller`;

const secretKey = (name: string, url: string) =>
  keyFor(name, url, {
    api_key: `sk-${MARK}-of-${name}`,
    api_base: `${url}/v1?api-version=2024-10-21&key=${MARK}-in-the-query`,
    request: {
      default_headers: {
        'x-tenant': `${MARK} in a header`,
        'x-gate': 'Token $env://GATE_KEY',
        'x-vault': '$secret://vault/llm',
        accept: 'application/json',
      },
    },
  });

/** All that was sent, told back in every way in which a careless upstream might. */
const echo =
  (status: number): Script =>
  (call, res) => {
    const message = `You sent ${call.url} ${call.rawHeaders.join(', ')}`;
    const code = call.headers.authorization;
    answerJson(
      res,
      status,
      { error: { message, code, type: call.headers['x-tenant'] } },
      {
        'x-echo': call.headers.authorization ?? '',
        'x-echo-url': call.url,
        'x-echo-token': call.headers.authorization?.slice('Bearer '.length) ?? '',
        'x-vault': 'its name alone',
        'x-note': `your tenant is ${call.headers['x-tenant']}`,
        'set-cookie': `key=${call.headers['x-gate']}`,
      },
    );
  };

const echoInEvent =
  (type: string, before = ''): Script =>
  (call, res) => {
    const error = { message: call.url + call.rawHeaders.join(), type, code: call.headers.authorization };
    res.writeHead(200, { 'content-type': 'text/event-stream', 'x-echo': call.headers.authorization });
    if (before !== '') res.write(before);
    setImmediate(() => res.end(`data: ${JSON.stringify({ error })}\n\n`));
  };

async function startWatched(script: Script, more: Partial<ModelRouterConfig> = {}) {
  vi.stubEnv('GATE_KEY', `${MARK}-at-the-gate`);
  const [first, second] = [await startUpstream(script), await startUpstream(echoModel())];
  const noticed: unknown[] = [];
  const logged = new EventEmitter();
  const log = (data: object, message: string): void => {
    noticed.push(data, message);
    logged.emit('line');
  };
  const started = await startRouter(
    {
      provider_keys: [secretKey('first', first.url), secretKey('second', second.url)],
      models: [
        modelFor('first'),
        modelFor('second'),
        aliasOf('alone', ['first']),
        aliasOf('chat', ['first', 'second'], { retry_on_429: true, fallback_on_statuses: [400] }),
      ],
      api_keys: [callerFor(CALLERS_KEY)],
      ...more,
    },
    {
      host: {
        logger: { debug: log, info: log, warn: log, error: log },
        secret: () => `sk-${MARK}-in-a-vault`,
        requestIdHeader: 'x-request-id',
        onAttempt: (attempt) => noticed.push(structuredClone(attempt)),
      },
      around: (router) => (req, res) => {
        res.on('close', () => noticed.push(llmVariables(res), res.getHeaders()));
        router(req, res);
      },
    },
  );
  return {
    first,
    started,
    logged: () => once(logged, 'line'),
    seen(): string {
      const all = [noticed, started.finished, started.router.status()];
      return inspect(all, { depth: Number.POSITIVE_INFINITY, maxStringLength: null }) + JSON.stringify(all);
    },
    async ask(model: string, stream = false, key = CALLERS_KEY): Promise<string> {
      const client = await connectRaw(started.port);
      const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hi' }] });
      const headers = ['Connection: close', `Authorization: Bearer ${key}`, 'Cookie: session=hunter2'];
      client.write(rawPost('/v1/chat/completions', body, headers));
      return client.closed();
    },
  };
}

function expectNoSecretIn(text: string): void {
  const at = text.toLowerCase().indexOf(MARK);
  expect(at === -1 ? '' : text.slice(Math.max(0, at - 200), at + 100)).toBe('');
}

const headOf = (answer: string): string => answer.slice(0, answer.indexOf('\r\n\r\n'));

describe('no secret is seen of an upstream that tells everything back', () => {
  it.each([400, 401, 404, 418, 429, 500, 503])('with %i, plain and streamed', async (status) => {
    const { ask, seen, first } = await startWatched(echo(status));
    for (const stream of [false, true]) {
      const answer = await ask('alone', stream);
      expect(answer).toMatch(/^HTTP\/1.1 [45]/);
      if (status < 500) expect(answer).toContain('***');
      expectNoSecretIn(answer);
    }
    // They were sent, or nothing could have been told back.
    expect(JSON.stringify(first.calls[0]?.headers)).toContain(MARK);
    expect(first.calls[0]?.url).toBe(`/v1/chat/completions?api-version=2024-10-21&key=${MARK}-in-the-query`);
    expectNoSecretIn(seen());
  });

  it('in the headers of a good answer', async () => {
    const { ask, seen } = await startWatched(echo(200));
    expectNoSecretIn(headOf(await ask('alone')));
    expectNoSecretIn(seen());
  });

  it.each(['invalid_request_error', 'rate_limit_exceeded', 'server_error'])(
    'in the first event of a stream, as %s',
    async (type) => {
      const { ask, seen } = await startWatched(echoInEvent(type));
      expectNoSecretIn(await ask('alone', true));
      expectNoSecretIn(seen());
    },
  );

  it('in the middle of a stream', async () => {
    const { ask, seen } = await startWatched(echoInEvent('server_error', chatEvent('Hi')));
    const answer = await ask('alone', true);
    expect(answer).toContain('event: error');
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });

  it.each([400, 429, 500])('with %i, from which the request moves on', async (status) => {
    const { ask, seen, logged } = await startWatched(echo(status));
    const line = logged();
    const answer = await ask('chat');
    expect(answer).toContain('x-aisix-served-by: second');
    await line;
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });

  it('whose first event is an error, from which the request moves on', async () => {
    const { ask, seen, logged } = await startWatched(echoInEvent('server_error'));
    const line = logged();
    const answer = await ask('chat', true);
    expect(answer).toContain('x-aisix-served-by: second');
    await line;
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });
});

describe("a caller's key", () => {
  it('is sent to no upstream, and seen nowhere', async () => {
    const { ask, seen, first } = await startWatched(echoModel());
    await ask('alone');
    expect(first.calls).toHaveLength(1);
    expect(JSON.stringify(first.calls[0]?.rawHeaders)).not.toContain('of-a-caller');
    expect(first.calls[0]?.headers.cookie).toBeUndefined();
    expectNoSecretIn(seen());
  });

  it('that is not known is seen nowhere either', async () => {
    const { ask, seen } = await startWatched(echoModel());
    const answer = await ask('alone', false, `sk-${MARK}-of-nobody`);
    expect(answer).toMatch(/^HTTP\/1.1 401/);
    expectNoSecretIn(answer);
    expectNoSecretIn(seen());
  });
});

describe('a header that is no secret', () => {
  it.each([
    ['accept', 'application/json'],
    ['user-agent', 'json'],
  ])('does not take the answer its type: %s', async (name, value) => {
    const llm = await startUpstream(echoModel());
    const started = await startRouter({
      provider_keys: [keyFor('a', llm.url, { request: { default_headers: { [name]: value } } })],
      models: [modelFor('a')],
    });
    const client = await connectRaw(started.port);
    const body = JSON.stringify({ model: 'a', messages: [{ role: 'user', content: 'Hi' }] });
    client.write(rawPost('/v1/chat/completions', body, ['Connection: close']));
    expect(headOf(await client.closed()).toLowerCase()).toContain('content-type: application/json');
    expect(llm.calls[0]?.headers[name]).toBe(value);
  });
});
