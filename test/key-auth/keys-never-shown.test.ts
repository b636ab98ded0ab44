// Whoever sees a key is its consumer from then on, and uses up what that one pays for. So nothing that this middleware
// answers, logs, throws or hands on may hold one: neither a configured key nor a wrong one, which is most often a
// right one with a slip in it.
import { describe, expect, it, vi } from 'vitest';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import { everythingOf, expectNoSecretIn, MARK } from '../secrets/witness.ts';
import { makeGate, type Stack, stacks, startGate } from './gate.ts';

const withKey = (username: string, key: unknown) => ({ username, plugins: { 'key-auth': { key } } });

/** Keys from every place from which they can come. To be called within a test. */
function secretConsumers(): readonly ConsumerConfig[] {
  vi.stubEnv('JANES_KEY', `${MARK}-environment`);
  return [
    { username: 'plain', plugins: { 'key-auth': { key: `${MARK}-plain` } } },
    { username: 'environment', plugins: { 'key-auth': { key: '$env://JANES_KEY' } } },
    { username: 'vault', plugins: { 'key-auth': { key: `${MARK}-$secret://vault/a` } } },
    { username: 'same', plugins: { 'key-auth': { key: '$secret://vault/same' } } },
    { username: 'broken', plugins: { 'key-auth': { key: `${MARK}-$secret://vault/broken` } } },
    { username: 'credential', credentials: [{ plugins: { 'key-auth': { key: `${MARK}-credential` } } }] },
    { username: 'guest' },
  ];
}

function secret(reference: string): string {
  if (reference.endsWith('broken')) throw new Error(`cannot log in with ${MARK}`);
  return reference.endsWith('same') ? `${MARK}-plain` : `${MARK}-vault`;
}

const RIGHT = ['plain', 'environment', `${MARK}-vault`, 'credential'].map((end) => `${MARK}-${end}`);
const WRONG = [
  `${MARK}-plaim`,
  `${MARK}-`,
  `${MARK}-$secret://vault/a`,
  `${MARK}-${MARK}`,
  `${MARK}`.repeat(700),
];

const options = () => ({ consumers: secretConsumers(), secret });

describe.each(stacks)('nothing of a key is shown in $name', (stack: Stack) => {
  it('by an answer to a wrong one, in whatever place it comes', async () => {
    const gate = await startGate({}, options(), stack);
    for (const key of WRONG) {
      const answers = [
        await gate.ask('GET /', [`apikey: ${key}`]),
        await gate.ask(`GET /?apikey=${encodeURIComponent(key)}`),
        await gate.ask('POST /', [`apikey: ${key}`, `apikey: ${key}`]),
        await gate.ask(`HEAD /?apikey=%&apikey=${encodeURIComponent(key)}`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
      expectNoSecretIn(JSON.stringify(answers));
    }
    expectNoSecretIn(everythingOf(gate.logs));
  });

  it('by what is known of the consumer it belongs to, or by the log', async () => {
    const gate = await startGate({ hide_credentials: true }, options(), stack);
    for (const key of RIGHT) {
      const answer = await gate.ask(`GET /?apikey=${key}`, [`apikey: ${key}`]);
      expect(answer.status).toBe(200);
      expectNoSecretIn(JSON.stringify(answer));
    }
    expect(gate.seen.map(({ consumer }) => consumer)).toEqual(
      ['plain', 'environment', 'vault', 'credential'].map((username) => ({ username })),
    );
    expectNoSecretIn(everythingOf(gate.seen));
    // Those that could not be resolved, and the one that is somebody else's, have been told of.
    expect(gate.logs.map(({ data }) => ('consumer' in data ? data.consumer : undefined)).sort()).toEqual([
      'broken',
      'same',
    ]);
    expectNoSecretIn(everythingOf(gate.logs));
  });

  it('by what is left of a wrong one that counts as the anonymous consumer', async () => {
    const gate = await startGate({ hide_credentials: true, anonymous_consumer: 'guest' }, options(), stack);
    for (const key of WRONG) {
      await gate.ask(`GET /?apikey=${encodeURIComponent(key)}`, [`apikey: ${key}`]);
    }
    expect(gate.seen).toHaveLength(WRONG.length);
    expectNoSecretIn(everythingOf(gate.seen));
  });
});

describe('nothing of a key is shown', () => {
  it('by the middleware itself', () => {
    const { middleware } = makeGate({}, options());
    expectNoSecretIn(everythingOf(middleware));
  });

  it.each<[string, unknown]>([
    ['two consumers share one', [withKey('a', `${MARK}-same`), withKey('b', `${MARK}-same`)]],
    ['one is empty and another is not', [withKey('a', ''), withKey('b', `${MARK}-b`)]],
    ['one is a list', [withKey('a', [`${MARK}-a`])]],
    ['one is an object', [withKey('a', { key: `${MARK}-a` })]],
    ['one stands where the plugin belongs', [{ username: 'a', plugins: { 'key-auth': `${MARK}-a` } }]],
    ['one stands where the plugins belong', [{ username: 'a', plugins: `${MARK}-a` }]],
    ['one stands where a credential belongs', [{ username: 'a', credentials: [`${MARK}-a`] }]],
    ['one stands where a consumer belongs', [`${MARK}-a`]],
    ['one stands where the consumers belong', `${MARK}-a`],
    ['a variable beside one is missing', [withKey('a', `${MARK}-$env://NOT_SET_ANYWHERE`)]],
    ['the field has a slip in it', [{ username: 'a', plugins: { 'key-auth': { keey: `${MARK}-a` } } }]],
  ])('by the error when %s, at mount or in update()', (_what, consumers) => {
    const { middleware, logs } = makeGate();
    for (const attempt of [
      () => Reflect.apply(makeGate, undefined, [{}, { consumers }]),
      () => Reflect.apply(middleware.update, middleware, [{}, { consumers }]),
    ]) {
      let thrown: unknown;
      try {
        attempt();
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(Error);
      expectNoSecretIn(everythingOf(thrown));
    }
    expectNoSecretIn(everythingOf(logs));
  });
});
