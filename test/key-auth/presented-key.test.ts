import { describe, expect, it } from 'vitest';
import { consumers, startGate } from './gate.ts';

const withKey = (username: string, key: string) => ({ username, plugins: { 'key-auth': { key } } });

/** Keys that are written differently where they are sent. */
const odd = [
  withKey('spaced', 'two words'),
  withKey('percent', '50%off'),
  withKey('reserved', 'a&b=c?d+e/f'),
  withKey('umlaut', 'schlüssel-🔑'),
];

/** Node takes one character for one byte where it writes a head. */
const bytes = (text: string): string => Buffer.from(text).toString('latin1');

describe('a key in the query', () => {
  it.each([
    ['/?apikey=jane-key', 'janedoe'],
    ['/x?a=1&apikey=jane-key&b=2', 'janedoe'],
    ['/?apikey=jane-key&apikey=john-key', 'janedoe'],
    ['/?apikey=jane%2dkey', 'janedoe'],
    ['/?%61pi%6Bey=jane-key', 'janedoe'],
    ['/?%=&%zz&apikey=jane-key', 'janedoe'],
    ['/?a?apikey=x&apikey=jane-key', 'janedoe'],
    ['/?&&apikey=jane-key', 'janedoe'],
    ['/?apikey=two+words', 'spaced'],
    ['/?apikey=two%20words', 'spaced'],
    ['/?apikey=50%25off', 'percent'],
    ['/?apikey=50%off', 'percent'],
    ['/?apikey=a%26b=c?d%2Be/f', 'reserved'],
    ['/?apikey=schl%C3%BCssel-%F0%9F%94%91', 'umlaut'],
  ])('%s is that of %s', async (target, username) => {
    const gate = await startGate({}, { consumers: [...consumers, ...odd] });
    expect(await gate.ask(`GET ${target}`)).toMatchObject({ status: 200 });
    expect(gate.seen[0]?.consumer).toEqual({ username });
  });

  it.each([
    '/?apikey=john-key2&apikey=jane-key',
    '/?apikey',
    '/?apikey=',
    '/?apikey=%E0%A4%A',
    '/?apikey=%',
    '/?apikey=%00',
    '/?apikey=jane-key#fragment',
    '/?apikey=jane-key;x',
    '/?apikey=jane-key%20',
  ])('%s is wrong', async (target) => {
    const gate = await startGate();
    expect(await gate.ask(`GET ${target}`)).toMatchObject({
      status: 401,
      body: '{"message":"Invalid API key in request"}',
    });
  });

  it.each([
    '/?',
    '/apikey=jane-key',
    '/?APIKEY=jane-key',
    '/??apikey=jane-key',
    '/?apikey[]=jane-key',
    '/?x=apikey=jane-key',
  ])('%s holds none', async (target) => {
    const gate = await startGate();
    expect(await gate.ask(`GET ${target}`)).toMatchObject({
      status: 401,
      body: '{"message":"Missing API key in request"}',
    });
  });

  it('stands under the name that is configured, and under no other', async () => {
    const gate = await startGate({ query: 'auth' });
    expect(await gate.ask('GET /?auth=jane-key')).toMatchObject({ status: 200 });
    expect(await gate.ask('GET /?apikey=jane-key')).toMatchObject({ status: 401 });
  });

  it('is not looked at where there is one in the header', async () => {
    const gate = await startGate();
    for (const header of ['apikey: wrong', 'apikey:']) {
      expect(await gate.ask('GET /?apikey=jane-key', [header])).toMatchObject({
        status: 401,
        body: '{"message":"Invalid API key in request"}',
      });
    }
  });
});

describe('a key in the header', () => {
  it('may be in UTF-8, as it is in the JSON', async () => {
    const gate = await startGate({}, { consumers: odd });
    await gate.ask('GET /', [`apikey: ${bytes('schlüssel-🔑')}`]);
    expect(gate.seen[0]?.consumer).toEqual({ username: 'umlaut' });
  });

  it.each(['Authorization', 'authorization', 'AUTHORIZATION'])('may be in %s', async (header) => {
    const gate = await startGate({ header });
    expect(await gate.ask('GET /', ['Authorization: jane-key'])).toMatchObject({ status: 200 });
    expect(await gate.ask('GET /', ['apikey: jane-key'])).toMatchObject({ status: 401 });
  });

  it('is wrong when it comes twice, even if it is the same', async () => {
    const gate = await startGate();
    expect(await gate.ask('GET /', ['apikey: jane-key', 'apikey: jane-key'])).toMatchObject({
      status: 401,
      body: '{"message":"Invalid API key in request"}',
    });
  });

  it('is wrong when it is longer than any key may be', async () => {
    const key = 'x'.repeat(4097);
    const gate = await startGate({}, { consumers: [withKey('long', key)] });
    expect(await gate.ask('GET /', [`apikey: ${key}`])).toMatchObject({ status: 401 });
    expect(gate.logs).toMatchObject([{ level: 'warn', data: { consumer: 'long' } }]);
  });

  it('may be as long as any key', async () => {
    const key = 'x'.repeat(4096);
    const gate = await startGate({}, { consumers: [withKey('long', key)] });
    expect(await gate.ask('GET /', [`apikey: ${key}`])).toMatchObject({ status: 200 });
    expect(gate.logs).toEqual([]);
  });

  it.each(['constructor', '__proto__'])(
    'is missing where it is to stand in %s and nothing was sent',
    async (header) => {
      const gate = await startGate({ header, hide_credentials: true });
      expect(await gate.ask('GET /')).toMatchObject({
        status: 401,
        body: '{"message":"Missing API key in request"}',
      });
    },
  );

  it('may stand in one of which Node makes a list', async () => {
    const gate = await startGate({ header: 'set-cookie' });
    expect(await gate.ask('GET /', ['set-cookie: jane-key'])).toMatchObject({ status: 200 });
    expect(await gate.ask('GET /', ['set-cookie: jane-key', 'set-cookie: jane-key'])).toMatchObject({
      status: 401,
    });
  });
});
