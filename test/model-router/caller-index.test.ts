import { describe, expect, it } from 'vitest';
import { makeCallerIndex } from '../../lib/model-router/caller-index.ts';
import { serve } from '../support/app.ts';
import { connectRaw } from '../support/raw.ts';
import { callerOf } from './caller.ts';

const NOW_MS = 1_800_000_000_000;

function bearer(key: string): { authorization: string } {
  return { authorization: `Bearer ${key}` };
}

describe('findCaller', () => {
  const ann = callerOf('ann');
  const index = makeCallerIndex([
    ann,
    callerOf('off', { disabled: true }),
    callerOf('off-and-old', { disabled: true, expiresAtMs: NOW_MS - 1 }),
  ]);

  it('knows a caller by the hash of a key whose hash is published', () => {
    // FIPS 180-2, appendix B.1.
    const keyHash = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const caller = callerOf('', { keyHash });
    expect(makeCallerIndex([caller]).findCaller(bearer('abc'), NOW_MS)).toEqual({ kind: 'caller', caller });
  });

  it.each([
    ['Authorization: Bearer', bearer('ann')],
    ['x-api-key', { 'x-api-key': 'ann' }],
  ])('finds the caller by %s', (_title, headers) => {
    expect(index.findCaller(headers, NOW_MS)).toEqual({ kind: 'caller', caller: ann });
  });

  it.each([
    ['without a token', {}, 'missing'],
    ['with a key of nobody', bearer('bob'), 'unknown'],
    ['with a key in other letter case', bearer('Ann'), 'unknown'],
    ['with the hash instead of the key', bearer(ann.keyHash), 'unknown'],
    ['with the name of a member of every object', bearer('constructor'), 'unknown'],
    ['with a key that is switched off', bearer('off'), 'disabled'],
    ['with a key that is switched off and has expired', bearer('off-and-old'), 'disabled'],
    [
      'with an unknown key in Authorization, whatever x-api-key says',
      { ...bearer('bob'), 'x-api-key': 'ann' },
      'unknown',
    ],
  ])('says of a request %s what is wrong', (_title, headers, kind) => {
    expect(index.findCaller(headers, NOW_MS)).toEqual({ kind });
  });

  it.each([
    [-1, 'caller'],
    [0, 'caller'],
    [1, 'expired'],
  ])('finds, %i ms after the instant of expiry, that the key is: %s', (afterMs, kind) => {
    const mortal = makeCallerIndex([callerOf('ann', { expiresAtMs: NOW_MS })]);
    expect(mortal.findCaller(bearer('ann'), NOW_MS + afterMs).kind).toBe(kind);
  });

  it('knows nobody where there is nobody', () => {
    expect(makeCallerIndex([]).findCaller(bearer('ann'), NOW_MS)).toEqual({ kind: 'unknown' });
  });

  it('tells ten thousand callers from each other', () => {
    const callers = Array.from({ length: 10_000 }, (_, number) => callerOf(`key-${number}`));
    const crowd = makeCallerIndex(callers);
    const found = callers.map(({ id }) => crowd.findCaller(bearer(id.slice('caller-'.length)), NOW_MS));
    expect(found).toEqual(callers.map((caller) => ({ kind: 'caller', caller })));
  });

  it('hashes the bytes of a key, whatever letters they stand for', async () => {
    const caller = callerOf('schlüssel-🔑');
    const foreign = makeCallerIndex([caller]);
    const { port } = await serve((req, res) => {
      res.end(foreign.findCaller(req.headers, NOW_MS).kind);
    });
    const client = await connectRaw(port);
    client.write(
      Buffer.from(
        'GET / HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer schlüssel-🔑\r\nConnection: close\r\n\r\n',
      ),
    );
    expect(await client.closed()).toMatch(/\r\n\r\ncaller$/);
  });
});
