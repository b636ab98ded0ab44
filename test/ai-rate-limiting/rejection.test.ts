import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { answerWith } from '../log/observe.ts';
import { post } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import { ANSWER_TOKENS, chat, HOUR, type Limited, startLimited } from './limited.ts';

const ONE_ANSWER = { limit: ANSWER_TOKENS, time_window: HOUR };

/** Uses the quota up. */
async function spend({ url }: Limited): Promise<void> {
  await chat(url);
}

async function spent(...options: Parameters<typeof startLimited>): Promise<Limited> {
  const limited = await startLimited(...options);
  await spend(limited);
  return limited;
}

describe('a request without a quota', () => {
  it('is answered 503, with a code, in the shape of OpenAI', async () => {
    const { url } = await spent(ONE_ANSWER);
    const answer = await post(url);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      {
        error: {
          message: 'The token quota for this LLM service is used up.',
          type: 'server_error',
          param: null,
          code: 'quota_exceeded',
        },
      },
    ]);
  });

  it("is answered in Anthropic's shape at Anthropic's endpoint", async () => {
    const limited = await startLimited(
      { ...ONE_ANSWER, rejected_code: 429, rejected_msg: 'enough' },
      {
        instance: () => ({ provider: 'anthropic' }),
        script: answerWith({ usage: { input_tokens: 30, output_tokens: 1 } }),
      },
    );
    const first = await post(`${limited.url}/v1/messages`);
    await first.text();
    const answer = await post(`${limited.url}/v1/messages`);
    expect([first.status, answer.status, await answer.json()]).toEqual([
      200,
      429,
      { type: 'error', error: { type: 'rate_limit_error', message: 'enough', code: 'quota_exceeded' } },
    ]);
  });

  it.each([429, 403, 599, 402])('is answered with rejected_code %i', async (rejected_code) => {
    const { url } = await spent({ ...ONE_ANSWER, rejected_code });
    expect((await chat(url)).status).toBe(rejected_code);
  });

  it('is answered with rejected_msg as the message', async () => {
    const { url } = await spent({ ...ONE_ANSWER, rejected_msg: 'Überzogen: "morgen" wieder\n' });
    expect(await (await post(url)).json()).toMatchObject({
      error: { message: 'Überzogen: "morgen" wieder\n', code: 'quota_exceeded' },
    });
  });

  it.each([
    ['a long window', 90_000],
    ['the shortest', 1],
  ])('is told in whole seconds when to come again, within %s', async (_what, time_window) => {
    // Until the refusal: a window of a second may end in between.
    const { url } = await startLimited({ limit: 1, time_window });
    let answer = await chat(url);
    while (answer.ok) answer = await chat(url);
    const wait = answer.headers.get('retry-after') ?? '';
    expect(wait).toMatch(/^[1-9]\d*$/);
    expect(Number(wait)).toBeLessThanOrEqual(time_window);
  });

  it('reaches no LLM', async () => {
    const { url, upstream } = await spent(ONE_ANSWER);
    await chat(url);
    expect(upstream.calls).toHaveLength(1);
  });

  it('is rejected, as the access log has it, and says which instance had nothing left', async () => {
    const { app, url } = await spent(ONE_ANSWER);
    await chat(url);
    expect(app.finished[1]).toMatchObject({
      llm_outcome: 'rejected',
      llm_attempts: [{ instance: 'a', skipped: 'rate_limited' }],
      llm_instance: '',
      llm_total_tokens: 0,
      llm_usage_source: 'none',
    });
  });

  it('is rejected also where rejected_code is that of a time-out', async () => {
    const { app, url } = await spent({ ...ONE_ANSWER, rejected_code: 408 });
    await chat(url);
    expect(app.finished[1]).toMatchObject({ llm_outcome: 'rejected' });
  });

  it('costs nothing, however often it is sent', async () => {
    const { url } = await startLimited({ limit: `\${http_x_limit ?? 1}`, time_window: HOUR });
    for (let index = 0; index < 5; index++) await chat(url);
    const answer = await chat(url, { 'x-limit': '1000' });
    expect(answer.headers.get('x-ai-ratelimit-remaining-a')).toBe(String(1000 - ANSWER_TOKENS));
  });

  it('leaves its connection in use', async () => {
    const { app } = await spent(ONE_ANSWER);
    const client = await connectRaw(app.port);
    for (let count = 1; count <= 3; count++) {
      client.write(rawPost('/', '{"messages":[]}'));
      while (client.received.split('quota_exceeded').length <= count) await once(client.socket, 'data');
    }
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual([
      'HTTP/1.1 503',
      'HTTP/1.1 503',
      'HTTP/1.1 503',
    ]);
  });

  it('is answered with JSON also where it asks for a stream', async () => {
    const { url } = await spent(ONE_ANSWER);
    const answer = await post(url, { messages: [], stream: true });
    expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'quota_exceeded' } }]);
  });

  it('is refused also where it is a GET that would be passed through', async () => {
    const { url, upstream } = await spent(ONE_ANSWER);
    const answer = await fetch(`${url}/v1/models`);
    expect([answer.status, upstream.calls.length]).toEqual([503, 1]);
  });

  it('gets the same head, and no body, for a HEAD', async () => {
    const { url } = await spent(ONE_ANSWER);
    const answer = await fetch(`${url}/v1/models`, { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([503, '']);
  });

  it('is told of its malformed body first', async () => {
    const { url } = await spent(ONE_ANSWER);
    expect((await post(url, '{')).status).toBe(400);
  });

  it('is refused also where something in front has read its body', async () => {
    const { url } = await startLimited(ONE_ANSWER, {
      before: (app) =>
        app.use((req, _res, next) => {
          req.body = { messages: [{ role: 'user', content: 'Hi' }] };
          req.resume().on('end', () => next());
        }),
    });
    expect([(await chat(url)).status, (await chat(url)).status]).toEqual([200, 503]);
  });
});
