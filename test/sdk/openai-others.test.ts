import { describe, expect, it } from 'vitest';
import { readPath } from '../../examples/read-path.ts';
import { collect, openaiInstance, startClients, startMock } from './clients.ts';

async function start() {
  const mock = await startMock();
  return { mock, ...(await startClients({ instances: [openaiInstance('a', mock.url)] })) };
}

describe('the official openai SDK asks for embeddings', () => {
  it('and decodes them from base64, which it asks for by default', async () => {
    const { openai, mock, ended } = await start();
    const input = ['one', 'two three'];
    const answer = await openai.embeddings.create({ model: 'text-embedding-3-small', input });
    expect(readPath(mock.requests[0]?.body, 'encoding_format')).toBe('base64');
    expect(answer.data.map(({ embedding }) => embedding.length)).toEqual([1536, 1536]);
    const [first = []] = answer.data.map(({ embedding }) => embedding);
    expect(Math.hypot(...first)).toBeCloseTo(1, 4);
    expect(await ended(1)).toMatchObject([{ llm_prompt_tokens: 3, llm_total_tokens: 3 }]);
  });

  it('and gets the same numbers as floats', async () => {
    const { openai } = await start();
    const request = { model: 'text-embedding-3-small', input: 'one', dimensions: 8 };
    const encoded = await openai.embeddings.create(request);
    const plain = await openai.embeddings.create({ ...request, encoding_format: 'float' });
    const [numbers = []] = plain.data.map(({ embedding }) => embedding);
    expect(numbers).toHaveLength(8);
    for (const [index, number] of numbers.entries())
      expect(encoded.data[0]?.embedding[index]).toBeCloseTo(number, 6);
  });
});

describe('the official openai SDK asks for a response', () => {
  it('and gets its text and usage', async () => {
    const { openai, ended } = await start();
    const response = await openai.responses.create({ model: 'gpt-4o', input: 'What is 1+1?' });
    expect(response.output_text).toBe('1+1 equals 2.');
    expect(await ended(1)).toMatchObject([{ llm_total_tokens: response.usage?.total_tokens }]);
  });

  it('and gets it as a stream, every event in its order', async () => {
    const { openai, ended } = await start();
    const stream = await openai.responses.create({ model: 'gpt-4o', input: 'What is 1+1?', stream: true });
    const events = await collect(stream);
    const text = events
      .map((event) => (event.type === 'response.output_text.delta' ? event.delta : ''))
      .join('');
    expect(text).toBe('1+1 equals 2.');
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_event, index) => index));
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });
    const [variables] = await ended(1);
    expect(variables).toMatchObject({ llm_completion_tokens: 3, llm_stream: true });
  });

  it('and its own stream helper ends with the final response', async () => {
    const { openai } = await start();
    const final = await openai.responses.stream({ model: 'gpt-4o', input: 'What is 1+1?' }).finalResponse();
    expect(final.output_text).toBe('1+1 equals 2.');
  });
});

describe('the official openai SDK asks for what the gateway passes through', () => {
  it('such as the list of models', async () => {
    const { openai, mock } = await start();
    const models = await collect(openai.models.list());
    expect(models.map(({ id }) => id)).toContain('gpt-4o');
    expect(mock.requests[0]).toMatchObject({ method: 'GET', url: '/v1/models' });
    expect(mock.requests[0]?.headers.authorization).toBe('Bearer key-a');
  });
});
