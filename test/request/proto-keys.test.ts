/**
 * A client that sends `{"__proto__": {"isAdmin": true}}` changes nothing here, where bodies stay bytes; but a
 * middleware or an LLM's backend that copies the parsed body member by member gives every object of its process an
 * `isAdmin`. JSON can spell one key in hundreds of ways, and a filter that knows one of them is no filter.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../lib/answer/gateway-error.ts';
import { scanDocument } from '../../lib/request/json-document.ts';
import { post } from '../support/app.ts';
import { refusalOf, startGateway } from '../support/gateway.ts';

const NAME = '__proto__';

function isForbidden(text: string): boolean {
  try {
    scanDocument(Buffer.from(text));
    return false;
  } catch (error) {
    return error instanceof GatewayError && error.code === 'forbidden_key' && error.status === 400;
  }
}

const hexDigits = fc.constantFrom<(hex: string) => string>(
  (hex) => hex.toLowerCase(),
  (hex) => hex.toUpperCase(),
);

/** Any of the ways to write the key in JSON. */
const spelling = fc
  .tuple(...[...NAME].map((character) => fc.tuple(fc.constant(character), fc.boolean(), hexDigits)))
  .map((characters) =>
    characters
      .map(([character, escaped, write]) =>
        escaped ? `\\u${write(character.charCodeAt(0).toString(16).padStart(4, '0'))}` : character,
      )
      .join(''),
  );

describe('a __proto__ key', () => {
  it.each([
    ['plain', '{"__proto__":{}}'],
    ['with an escaped underscore', '{"\\u005f_proto__":{}}'],
    ['with a last underscore in capitals', '{"__proto_\\u005F":1}'],
    ['escaped throughout', '{"\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f":1}'],
    ['after others', '{"a":1,"b":[],"__proto__":null}'],
    ['in an object', '{"a":{"__proto__":1}}'],
    ['in an array', '{"a":[[{"b":1},{"__proto__":1}]]}'],
    ['before a duplicate that hides it', '{"a":{"__proto__":1},"a":2}'],
    ['with space around it', '{ "__proto__" \n: 1}'],
    ['at the deepest level', `{"a":${'['.repeat(998)}{"__proto__":1}${']'.repeat(998)}}`],
  ])('is refused: %s', (_what, text) => {
    expect(isForbidden(text)).toBe(true);
  });

  it('is refused in every spelling, at any depth', () => {
    fc.assert(
      fc.property(spelling, fc.array(fc.constantFrom('[', '{"k":')), (key, containers) => {
        const close = containers.map((open) => (open === '[' ? ']' : '}')).reverse();
        const text = `{"x":1,"k":${containers.join('')}{"${key}":1}${close.join('')}}`;
        JSON.parse(text);
        expect(isForbidden(text)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    '{"a":"__proto__"}',
    '{"a":["__proto__"]}',
    '{"__proto":1,"_proto__":1,"__proto___":1,"__PROTO__":1,"x__proto__":1}',
    '{"\\\\u005f_proto__":1}',
    '{"__proto__\\u0000":1}',
    '{"constructor":{"prototype":{}}}',
  ])('is not what %s holds', (text) => {
    expect(isForbidden(text)).toBe(false);
  });
});

describe('over HTTP', () => {
  it.each([
    '{"messages":[],"__proto__":{"polluted":1}}',
    '{"messages":[{"\\u005f_proto__":{"polluted":1}}]}',
  ])('%s is a 400, never reaches an LLM and pollutes nothing', async (body) => {
    const { app, upstream } = await startGateway();
    expect(await refusalOf(await post(app.url, body))).toEqual({ status: 400, code: 'forbidden_key' });
    expect(upstream.calls).toEqual([]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('is refused as well when a parser in front has made it an object', async () => {
    const { default: express } = await import('express');
    const { app, upstream } = await startGateway({}, { before: (app) => app.use(express.json()) });
    const response = await post(app.url, '{"messages":[{"__proto__":{"polluted":1}}]}');
    expect(await refusalOf(response)).toEqual({ status: 400, code: 'forbidden_key' });
    expect(upstream.calls).toEqual([]);
  });

  it('lets a body with other inherited names through byte for byte', async () => {
    const { app, upstream } = await startGateway();
    const body = '{"model":"m","constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":2}';
    expect((await post(`${app.url}/anything`, body)).status).toBe(200);
    expect(upstream.calls[0]?.body).toBe(body.replace('"m"', '"model-one"'));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});
