import { expect, it } from 'vitest';
import { instance, post } from '../support/app.ts';
import { answerJson, chatEvent, doneEvent, type Script, startUpstream } from '../support/upstream.ts';
import * as answers from './answers.ts';
import { answerWith, observe } from './observe.ts';

/** Waits: it stands for an LLM that takes its time, never for something to have happened. */
function later(ms: number, then: () => void): void {
  setTimeout(then, ms);
}

// Timers may fire a millisecond early.
const SLACK_MS = 2;
const messages = [{ role: 'user', content: 'Hi' }];

const slowStream: Script = (_call, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.flushHeaders();
  later(60, () => {
    res.write(chatEvent('Hi'));
    later(60, () => res.end(doneEvent));
  });
};

it('counts to the first token of a stream, and to the end of the answer, in milliseconds', async () => {
  const { app, first } = await observe(slowStream);
  await (await post(app.url, { messages, stream: true })).text();
  const variables = await first;
  const firstToken = Number(variables.llm_time_to_first_token);
  const whole = Number(variables.llm_upstream_response_time);
  expect(firstToken).toBeGreaterThanOrEqual(60 - SLACK_MS);
  // Not the time between the two: the first event may be late by any amount, which would be missing there.
  expect(whole).toBeGreaterThanOrEqual(120 - SLACK_MS);
  expect(whole).toBeGreaterThanOrEqual(firstToken);
});

it('does not take a comment for the first token of a stream', async () => {
  let betweenMs = Number.NaN;
  const { app, first } = await observe((_call, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(': OPENROUTER PROCESSING\n\n');
    const commentAt = performance.now();
    later(60, () => {
      betweenMs = performance.now() - commentAt;
      res.end(chatEvent('Hi') + doneEvent);
    });
  });
  await (await post(app.url, { messages, stream: true })).text();
  // The variable is rounded.
  expect((await first).llm_time_to_first_token).toBeGreaterThanOrEqual(Math.floor(betweenMs));
});

it("counts a stream's only event at its end where no blank line ends it", async () => {
  const { app, first } = await observe((_call, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(chatEvent('Hi').trimEnd());
    later(30, () => res.end());
  });
  await (await post(app.url, { messages, stream: true })).text();
  expect((await first).llm_time_to_first_token).toBeGreaterThanOrEqual(30 - SLACK_MS);
});

it("counts a plain answer's time to its first byte", async () => {
  const { app, first } = await observe((_call, res) => later(50, () => answerJson(res, 200, answers.chat())));
  await (await post(app.url)).text();
  expect((await first).llm_time_to_first_token).toBeGreaterThanOrEqual(50 - SLACK_MS);
});

it('counts from the sending of the attempt that is answered with, not of those that failed', async () => {
  const failing = await startUpstream((_call, res) => later(300, () => answerJson(res, 500, {})));
  const working = await startUpstream(answerWith(answers.chat()));
  const { app, first } = await observe(answerWith({}), {
    config: {
      fallback_strategy: ['http_5xx'],
      instances: [instance('slow', failing.url, { priority: 1 }), instance('quick', working.url)],
    },
  });
  await (await post(app.url)).text();
  const { llm_attempts: attempts, llm_time_to_first_token: firstToken } = await first;
  expect(attempts).toMatchObject([{ instance: 'slow' }, { instance: 'quick' }]);
  const durations = Array.isArray(attempts) ? attempts.map(({ duration_ms }) => Number(duration_ms)) : [];
  expect(durations[0]).toBeGreaterThanOrEqual(300 - SLACK_MS);
  expect(Number(firstToken)).toBeLessThanOrEqual(Number(durations[1]));
});

it("gives every attempt's duration in whole milliseconds", async () => {
  const { app, first } = await observe((_call, res) => later(20, () => answerJson(res, 200, answers.chat())));
  await (await post(app.url)).text();
  const { llm_attempts: attempts } = await first;
  const [attempt] = Array.isArray(attempts) ? attempts : [];
  expect(Number.isInteger(attempt?.duration_ms)).toBe(true);
  expect(attempt?.duration_ms).toBeGreaterThanOrEqual(20 - SLACK_MS);
});
