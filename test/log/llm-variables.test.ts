import { type FinishRecord, llmVariables } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import * as answers from './answers.ts';
import { expectTyped } from './expect-typed.ts';
import { answerWith, observe } from './observe.ts';

describe('llmVariables', () => {
  it.each([
    ['without locals', {}],
    ['with empty locals', { locals: {} }],
    ['with locals that are no object', { locals: 'none' }],
  ])('has a value for every name on a response the gateway never saw, %s', (_title, res) => {
    const variables = llmVariables(res);
    expectTyped(variables);
    expect(variables).toMatchObject({ request_type: 'traditional_http', llm_outcome: '', llm_attempts: [] });
  });

  it('has nothing of the host application that stands on locals beside them', () => {
    expect(llmVariables({ locals: { user: 'ann', llm_instance: 'x' } })).not.toHaveProperty('user');
  });

  it('hands out a list of attempts that the next response does not share', () => {
    const { llm_attempts: attempts } = llmVariables({});
    if (Array.isArray(attempts)) attempts.push('mine');
    expect(llmVariables({}).llm_attempts).toEqual([]);
  });

  it('has a type for each, so that nobody needs to ask what they are', () => {
    const variables: FinishRecord = llmVariables({});
    const sum: number = variables.llm_prompt_tokens + variables.llm_completion_tokens;
    const tried: number = variables.llm_attempts.filter((attempt) => !('skipped' in attempt)).length;
    const isStream: boolean = variables.llm_stream;
    const milliseconds: number | undefined = variables.llm_summary?.duration;
    expect([sum, tried, isStream, milliseconds, variables.llm_instance.length]).toEqual([
      0,
      0,
      false,
      undefined,
      0,
    ]);
    // @ts-expect-error -- nobody has this one
    expect(variables.llm_misspelt).toBeUndefined();
  });

  it('has nothing of another type that somebody has put in the place of one', () => {
    const attempts = [
      { instance: 'a', status: 200, duration_ms: 3 },
      { instance: 'b', skipped: 'unhealthy' },
    ];
    const locals = {
      llm_total_tokens: '31',
      llm_stream: 'true',
      llm_outcome: 'done',
      llm_usage_source: 'guessed',
      llm_attempts: [...attempts, 'c', null, { instance: 'd' }, { instance: 7, skipped: 'x' }],
      llm_request: 'Hi',
    };
    const variables = llmVariables({ locals });
    expect(variables).toEqual({ ...llmVariables({}), llm_attempts: attempts });
  });

  it('has all that onFinish is told', async () => {
    const { app, first } = await observe(answerWith(answers.chat()));
    await (await post(app.url)).text();
    expect(app.finished[0]).toEqual(llmVariables({ locals: await first }));
  });
});
