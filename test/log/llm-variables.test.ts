import { llmVariables } from 'ai-proxy-multi';
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

  it('has all that onFinish is told', async () => {
    const { app, first } = await observe(answerWith(answers.chat()));
    await (await post(app.url)).text();
    expect(app.finished[0]).toEqual(llmVariables({ locals: await first }));
  });
});
