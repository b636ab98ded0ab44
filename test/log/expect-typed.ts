import { expect } from 'vitest';

const STRINGS = [
  'request_type',
  'request_llm_model',
  'llm_model',
  'llm_end_user_id',
  'llm_instance',
  'llm_provider',
  'llm_outcome',
  'llm_usage_source',
];
const WHOLE_NUMBERS = [
  'llm_time_to_first_token',
  'llm_prompt_tokens',
  'llm_completion_tokens',
  'llm_total_tokens',
  'llm_tool_count',
  'llm_cache_read_input_tokens',
  'llm_cache_creation_input_tokens',
  'llm_reasoning_tokens',
  'llm_upstream_response_time',
];
const BOOLEANS = ['llm_stream', 'llm_has_tool_calls'];

/** Expects every name of the contract, each with its type: milliseconds and counts whole and not negative. */
export function expectTyped(variables: Readonly<Record<string, unknown>>): void {
  const names = [...STRINGS, ...WHOLE_NUMBERS, ...BOOLEANS, 'llm_attempts'];
  expect(Object.keys(variables).sort()).toEqual(names.sort());
  for (const name of STRINGS) expect(variables[name], name).toBeTypeOf('string');
  for (const name of BOOLEANS) expect(variables[name], name).toBeTypeOf('boolean');
  for (const name of WHOLE_NUMBERS) {
    expect(Number.isInteger(variables[name]), `${name}: ${variables[name]}`).toBe(true);
    expect(variables[name], name).toBeGreaterThanOrEqual(0);
  }
  expect(Array.isArray(variables.llm_attempts)).toBe(true);
}
