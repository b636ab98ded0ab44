import { ConfigError, statusPage } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../lib/status-page/read-arguments.ts';
import { gatewayStatus, makeSource } from './sources.ts';

const source = makeSource(gatewayStatus([]));

function messageOf(mount: () => unknown): string {
  try {
    mount();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'mounted';
}

describe('statusPage refuses to be mounted', () => {
  it('with a misspelt option, and names the right one', () => {
    const mount = () => Reflect.apply(statusPage, undefined, [source, { nmaes: ['chat'] }]);
    expect(messageOf(mount)).toContain(
      'options.nmaes: is not an option of statusPage; did you mean "names"?',
    );
  });

  it('with more names than middlewares', () => {
    expect(messageOf(() => statusPage(source, { names: ['one', 'two'] }))).toContain(
      'options.names: has 2 names, but there are 1 middlewares',
    );
  });

  it('without a middleware', () => {
    expect(messageOf(() => statusPage())).toContain('hold no middleware');
    expect(messageOf(() => statusPage({ names: [] }))).toContain('hold no middleware');
  });

  it('with options that are not the last', () => {
    expect(messageOf(() => readArguments([{ names: ['chat'] }, source]))).toContain('arguments[0]');
  });

  it.each([
    ['a function without status()', () => {}],
    ['nothing', undefined],
    ['null', null],
    ['a name', 'gateway'],
    ['a status that is no function', { status: {} }],
  ])('with %s', (_what, value) => {
    expect(messageOf(() => Reflect.apply(statusPage, undefined, [source, value]))).toContain(
      'arguments[1]: is no middleware with status()',
    );
  });

  it.each([['chat'], [[1]], [{}]])('with names that are %j', (names) => {
    expect(messageOf(() => Reflect.apply(statusPage, undefined, [source, { names }]))).toContain(
      'options.names: must be a list of strings',
    );
  });
});
