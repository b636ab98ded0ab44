import express from 'express';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTemplate, hasVariables } from '../../lib/request/variable-template.ts';
import type { Variables } from '../../lib/request/variables.ts';
import { serve } from '../support/app.ts';

const braced = (content: string): string => `\${${content}}`;

/** What a template comes to for a real request to an Express app mounted at /ai. */
async function fill(text: string, variables: Partial<Variables> = {}): Promise<unknown> {
  const template = compileTemplate(text);
  const app = express();
  app.use('/ai', (req, res) => {
    res.json(template(req, { custom: undefined, locals: {}, ...variables }));
  });
  const { url } = await serve(app);
  const headers = { 'x-user': 'ann', 'x-price': '$5', 'x-empty': '', cookie: 'session=s-1' };
  const answer = await fetch(`${url}/ai/chat?tenant=acme&b=2`, { headers });
  return answer.json();
}

describe('a template is filled in', () => {
  it.each<[string, string, number]>([
    ['', '', 0],
    ['plain text', 'plain text', 0],
    ['$http_x_user', 'ann', 1],
    [braced('http_x_user'), 'ann', 1],
    ['$http_x_user:$arg_tenant', 'ann:acme', 2],
    ['$http_x_user$arg_tenant', 'annacme', 2],
    [`${braced('http_x_user')}${braced('arg_tenant')}`, 'annacme', 2],
    [`a${braced('http_x_user')}b`, 'aannb', 1],
    ['<$request_method>', '<GET>', 1],
    ['$uri.', '/ai/chat.', 1],
    ['$arg_b%', '2%', 1],
    [braced(' http_x_user '), 'ann', 1],
    [braced('\n\thttp_x_user\n'), 'ann', 1],
    ['$cookie_session', 's-1', 1],
    ['é$arg_b😀', 'é2😀', 1],
    ['$arg_b$arg_b', '22', 2],
  ])('%j', async (text, filled, resolved) => {
    expect(await fill(text)).toEqual({ text: filled, resolved });
  });

  it('with names from host.vars, in braces whatever they are made of', async () => {
    const custom = (name: string): string | undefined => ({ tenant: 'acme', 'a b.c': 'odd' })[name];
    expect(await fill(`$tenant/${braced('a b.c')}`, { custom })).toEqual({ text: 'acme/odd', resolved: 2 });
  });

  it("with the consumer's name", async () => {
    const locals = { consumer: { username: 'jane' } };
    expect(await fill('$consumer_name', { locals })).toEqual({ text: 'jane', resolved: 1 });
  });
});

describe('without braces a hyphen', () => {
  it.each<[string, string, number]>([
    ['$http_x-user', 'ann', 1],
    ['$http_x-user-', 'ann-', 1],
    ['$http_x-user-$arg_b', 'ann-2', 2],
    ['$request_method-$uri', 'GET-/ai/chat', 2],
    ['$request_method-x', 'GET-x', 1],
  ])("belongs to the client's own names alone: %s", async (text, filled, resolved) => {
    expect(await fill(text)).toEqual({ text: filled, resolved });
  });
});

describe('a variable without a value', () => {
  it.each<[string, string, number]>([
    ['$arg_missing', '', 0],
    ['$http_x_empty', '', 0],
    ['<$arg_missing>', '<>', 0],
    ['$unheard_of:$arg_b', ':2', 1],
    [braced('toString'), '', 0],
    [braced('__proto__'), '', 0],
  ])('is nothing and does not count: %s', async (text, filled, resolved) => {
    expect(await fill(text)).toEqual({ text: filled, resolved });
  });

  it.each<[string, string, number]>([
    ['arg_missing ?? nobody', 'nobody', 1],
    ['arg_missing??nobody', 'nobody', 1],
    [' arg_missing  ??  no body ', 'no body', 1],
    ['http_x_empty ?? 100', '100', 1],
    ['arg_missing ?? $arg_b', '$arg_b', 1],
    ['arg_missing ?? one ?? two', 'one', 1],
    ['arg_missing ?', '', 0],
    ['arg_missing ??', '', 0],
    ['arg_missing ?? ', '', 0],
  ])('takes its default, which counts and is plain text: %s', async (content, filled, resolved) => {
    expect(await fill(braced(content))).toEqual({ text: filled, resolved });
  });

  it('has no use for its default once it has a value', async () => {
    expect(await fill(braced('arg_b ?? 100'))).toEqual({ text: '2', resolved: 1 });
  });

  it.each(['$tenant', braced('tenant')])('is what host.vars says is nothing: %s', async (text) => {
    expect(await fill(text, { custom: () => '' })).toEqual({ text: '', resolved: 0 });
  });
});

describe('what is no variable stays as it is', () => {
  it.each([
    '$',
    '$$',
    'costs $',
    '$-',
    '$ arg_b',
    '$.arg_b',
    '\\$arg_b',
    '\\\\$arg_b',
    `\\${braced('arg_b')}`,
    braced(''),
    braced(' '),
    braced(' ?? x'),
    `\${`,
    `\${arg_b`,
    '{arg_b}',
    'arg_b',
    '$é',
  ])('%j', async (text) => {
    expect(await fill(text)).toEqual({ text, resolved: 0 });
    expect(hasVariables(text)).toBe(false);
  });

  it.each<[string, string]>([
    ['$$arg_b', '$2'],
    ['\\$arg_b $arg_b', '\\$arg_b 2'],
    [`${braced('')}$arg_b`, `${braced('')}2`],
    ['$é$arg_b', '$é2'],
  ])('and does not keep what follows from being one: %j', async (text, filled) => {
    expect(await fill(text)).toEqual({ text: filled, resolved: 1 });
  });
});

describe('what a client sends', () => {
  it('is not searched for variables again', async () => {
    const custom = (name: string): string | undefined => (name === 'a' ? '$arg_b' : undefined);
    expect(await fill('$a', { custom })).toEqual({ text: '$arg_b', resolved: 1 });
    expect(await fill('$http_x_price')).toEqual({ text: '$5', resolved: 1 });
  });

  it.each(['$&', '$1', '$$', "$'"])('is no pattern of replacement: %s', async (value) => {
    expect(await fill('<$a>', { custom: () => value })).toEqual({ text: `<${value}>`, resolved: 1 });
  });
});

describe('hasVariables', () => {
  it.each(['$a', 'x$a', braced('a'), braced('a ?? 1'), '$http_x-user', '\\$a$b'])(
    'finds one in %s',
    (text) => {
      expect(hasVariables(text)).toBe(true);
    },
  );

  it('finds none in a number', () => {
    expect(hasVariables('100')).toBe(false);
  });
});

describe('whatever the text', () => {
  const piece = fc.constantFrom(
    ...['$', '{', '}', '\\', '??', ' ', '-', '_', 'a', 'http_', 'arg_', 'cookie_', '1', 'é', '\n', ':'],
  );
  const garbage = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
  );

  it('is left as it is where it has no variables, and never grows where they have no values', async () => {
    let outcome: unknown;
    const { url } = await serve((req, res) => {
      const property = fc.property(garbage, (text) => {
        const filled = compileTemplate(text)(req, { custom: undefined, locals: {} });
        if (!hasVariables(text)) expect(filled).toEqual({ text, resolved: 0 });
        if (!text.includes('??')) expect(filled.resolved).toBe(0);
        expect(filled.text.length).toBeLessThanOrEqual(text.length);
      });
      outcome = fc.check(property, { numRuns: 1000 });
      res.end();
    });
    await fetch(url);
    expect(outcome).toMatchObject({ failed: false, counterexample: null });
  });
});
