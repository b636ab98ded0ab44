import { describe, expect, it } from 'vitest';
import { makeModelLabel } from '../../lib/prometheus/model-label.ts';

describe('the label of a model', () => {
  it.each([
    ['the configured one, which the client did not ask for', 'gpt-4o', 'gpt-3', 'gpt-4o'],
    ['the configured one, where the client named none', 'gpt-4o', '', 'gpt-4o'],
    ['nothing, where it may be the client’s', 'gpt-4o', 'gpt-4o', ''],
    ['nothing, where there is none', '', '', ''],
  ])('is %s', (_what, model, requested, label) => {
    expect(makeModelLabel()({ instance: 'one', model, requested })).toBe(label);
  });

  it('is the configured one, once known, also where the client asks for that one', () => {
    const label = makeModelLabel();
    label({ instance: 'one', model: 'gpt-4o', requested: '' });
    expect(label({ instance: 'one', model: 'gpt-4o', requested: 'gpt-4o' })).toBe('gpt-4o');
    expect(label({ instance: 'two', model: 'gpt-4o', requested: 'gpt-4o' })).toBe('');
  });

  it('is nothing again, when an update has left the model to the client', () => {
    const label = makeModelLabel();
    label({ instance: 'one', model: 'gpt-4o', requested: '' });
    expect(label({ instance: 'one', model: 'mine', requested: 'mine' })).toBe('');
  });

  it('is one for all models after the hundredth, however often the configuration changes', () => {
    const label = makeModelLabel();
    const labels = Array.from({ length: 300 }, (_, index) =>
      label({ instance: 'one', model: `model-${index}`, requested: '' }),
    );
    expect(new Set(labels).size).toBe(101);
    expect(labels.at(-1)).toBe('other');
    expect(label({ instance: 'one', model: 'model-7', requested: '' })).toBe('model-7');
  });
});
