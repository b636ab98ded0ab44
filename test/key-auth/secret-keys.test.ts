import { EventEmitter, once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConsumerConfig } from '../../lib/config/generated/consumer.ts';
import { startGate } from './gate.ts';

const REFERENCE = '$secret://vault/jane';

const withKey = (username: string, key: string): ConsumerConfig => ({
  username,
  plugins: { 'key-auth': { key } },
});
const jane = withKey('janedoe', REFERENCE);
const john = withKey('johndoe', 'john-key');

const apikey = (key: string): string[] => [`apikey: ${key}`];

/** A secret manager that answers when it is told to. */
function slowSecret() {
  const answers = new EventEmitter();
  return {
    secret: async () => String((await once(answers, 'answer'))[0]),
    answer: (key: string) => answers.emit('answer', key),
  };
}

/** A clock that goes on when it is told to. */
function stopClock(): { advance(ms: number): Promise<void> } {
  let now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(now);
  return {
    async advance(ms) {
      now += ms;
      clock.mockReturnValue(now);
      // lru-cache looks at the clock at most once in a millisecond.
      await setTimeout(5);
    },
  };
}

const MINUTES_MS = 60 * 1000;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a key in a secret manager', () => {
  it('lets its consumer in, alone or as a part of a longer text', async () => {
    const secret = (reference: string): string => `secret-of-${reference.split('/').at(-1)}`;
    const gate = await startGate(
      {},
      { consumers: [jane, withKey('part', 'v1 $secret://vault/part')], secret },
    );
    await gate.ask('GET /', apikey('secret-of-jane'));
    await gate.ask('GET /', apikey('v1 secret-of-part'));
    expect(gate.seen).toMatchObject([
      { consumer: { username: 'janedoe' } },
      { consumer: { username: 'part' } },
    ]);
  });

  it('is asked for when the gate is mounted, and not with every request', async () => {
    const secret = vi.fn(async () => 'jane-secret');
    const gate = await startGate({}, { consumers: [jane], secret });
    expect(secret.mock.calls).toEqual([[REFERENCE]]);
    for (const key of ['jane-secret', 'jane-secret', 'wrong']) await gate.ask('GET /', apikey(key));
    expect(secret).toHaveBeenCalledTimes(1);
  });

  it('is waited for by a request that may depend on it', async () => {
    const { secret, answer } = slowSecret();
    const gate = await startGate({}, { consumers: [jane], secret });
    const answered = gate.ask('GET /', apikey('jane-secret'));
    await gate.arrival();
    answer('jane-secret');
    expect(await answered).toMatchObject({ status: 200 });
  });

  it('is not waited for by a request with a fixed key, or with none', async () => {
    const { secret } = slowSecret();
    const gate = await startGate({}, { consumers: [jane, john], secret });
    expect(await gate.ask('GET /', apikey('john-key'))).toMatchObject({ status: 200 });
    expect(await gate.ask('GET /')).toMatchObject({ status: 401 });
  });

  it('is never the reference itself', async () => {
    const gate = await startGate({}, { consumers: [jane], secret: () => 'jane-secret' });
    expect(await gate.ask('GET /', apikey(REFERENCE))).toMatchObject({ status: 401 });
  });

  it('is asked for again after five minutes, and the old one ends then', async () => {
    const clock = stopClock();
    const secret = vi
      .fn(async () => 'first')
      .mockResolvedValueOnce('first')
      .mockResolvedValue('second');
    const gate = await startGate({}, { consumers: [jane], secret });
    const statuses = async () => [
      (await gate.ask('GET /', apikey('first'))).status,
      (await gate.ask('GET /', apikey('second'))).status,
    ];
    expect(await statuses()).toEqual([200, 401]);
    await clock.advance(5 * MINUTES_MS - 1);
    expect(await statuses()).toEqual([200, 401]);
    await clock.advance(2);
    expect(await statuses()).toEqual([401, 200]);
    expect(secret).toHaveBeenCalledTimes(2);
  });
});

describe('a secret that cannot be resolved', () => {
  it.each<[string, () => string | Promise<string>]>([
    ['rejects', () => Promise.reject(new Error('sealed'))],
    [
      'throws',
      () => {
        throw new Error('sealed');
      },
    ],
    ['is empty', () => ''],
    ['is longer than any key', () => 'x'.repeat(4097)],
  ])('leaves its consumer out while it %s, and is logged once', async (_how, secret) => {
    const gate = await startGate({}, { consumers: [jane, john], secret });
    for (const key of ['guess', 'x'.repeat(4097), '']) {
      expect(await gate.ask('GET /', apikey(key))).toMatchObject({ status: 401 });
    }
    expect(await gate.ask('GET /', apikey('john-key'))).toMatchObject({ status: 200 });
    expect(gate.logs).toMatchObject([{ level: 'warn', data: { consumer: 'janedoe' } }]);
  });

  it('is not asked for with every guess, and lets its consumer in once it can be resolved', async () => {
    const clock = stopClock();
    const secret = vi.fn(async () => 'jane-secret').mockRejectedValueOnce(new Error('sealed'));
    const gate = await startGate({}, { consumers: [jane], secret });
    for (let guess = 0; guess < 20; guess++) {
      expect(await gate.ask('GET /', apikey(`guess-${guess}`))).toMatchObject({ status: 401 });
    }
    expect(await gate.ask('GET /', apikey('jane-secret'))).toMatchObject({ status: 401 });
    expect(secret).toHaveBeenCalledTimes(1);
    await clock.advance(10_001);
    expect(await gate.ask('GET /', apikey('jane-secret'))).toMatchObject({ status: 200 });
    expect(secret).toHaveBeenCalledTimes(2);
  });

  it('does not hold up those that can be, not even while it is asked for again', async () => {
    const clock = stopClock();
    const secret = vi
      .fn(() => new Promise<string>(() => {}))
      .mockRejectedValueOnce(new Error('sealed'))
      .mockResolvedValueOnce('other-secret');
    const gate = await startGate(
      {},
      { consumers: [jane, withKey('other', '$secret://vault/other')], secret },
    );
    expect(await gate.ask('GET /', apikey('other-secret'))).toMatchObject({ status: 200 });
    await clock.advance(10_001);
    void gate.ask('GET /', apikey('guess'));
    await gate.arrival();
    expect(secret).toHaveBeenCalledTimes(3);
    expect(await gate.ask('GET /', apikey('other-secret'))).toMatchObject({ status: 200 });
  });

  it('keeps nobody out for longer than its own time: the others are asked for again when they are due', async () => {
    const clock = stopClock();
    const gate = await startGate(
      {},
      {
        consumers: [jane, withKey('other', '$secret://vault/other')],
        secret: (reference) =>
          reference === REFERENCE ? Promise.reject(new Error('sealed')) : 'other-secret',
      },
    );
    await gate.ask('GET /', apikey('guess'));
    await clock.advance(5 * MINUTES_MS - 1000);
    await gate.ask('GET /', apikey('guess'));
    await clock.advance(2000);
    expect(await gate.ask('GET /', apikey('other-secret'))).toMatchObject({ status: 200 });
  });
});

describe('a secret manager that hangs', () => {
  it('holds a request up for some seconds and no longer; what it says later counts', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { secret, answer } = slowSecret();
    const asked = vi.fn(secret);
    const gate = await startGate({}, { consumers: [jane], secret: asked });
    const held = gate.ask('GET /', apikey('jane-secret'));
    await gate.arrival();
    await vi.advanceTimersByTimeAsync(5000);
    expect(await held).toMatchObject({ status: 401 });
    expect(gate.logs).toMatchObject([
      { level: 'warn', data: { consumer: 'janedoe', reason: 'it takes too long to look up' } },
    ]);
    // It has been waited for once: nobody does so again.
    expect(await gate.ask('GET /', apikey('jane-secret'))).toMatchObject({ status: 401 });
    answer('jane-secret');
    expect(await gate.ask('GET /', apikey('jane-secret'))).toMatchObject({ status: 200 });
    expect(asked).toHaveBeenCalledTimes(1);
  });
});

describe('a key that turns out to be two consumers’', () => {
  it('stays with the one that has it in the configuration', async () => {
    const gate = await startGate({}, { consumers: [jane, john], secret: () => 'john-key' });
    await gate.ask('GET /', apikey('guess'));
    await gate.ask('GET /', apikey('john-key'));
    expect(gate.seen).toMatchObject([{ consumer: { username: 'johndoe' } }]);
    expect(gate.logs).toMatchObject([
      {
        level: 'warn',
        data: { consumer: 'janedoe', reason: 'it is the key of the consumer johndoe as well' },
      },
    ]);
  });

  it('is nobody else’s where both are in the secret manager', async () => {
    const gate = await startGate(
      {},
      { consumers: [jane, withKey('other', '$secret://vault/other')], secret: () => 'the-same' },
    );
    await gate.ask('GET /', apikey('the-same'));
    expect(gate.seen).toMatchObject([{ consumer: { username: 'janedoe' } }]);
    expect(gate.logs).toMatchObject([{ data: { consumer: 'other' } }]);
  });

  it('may be one consumer’s twice', async () => {
    const credentials = [{ plugins: { 'key-auth': { key: '$secret://vault/second' } } }];
    const gate = await startGate({}, { consumers: [{ ...jane, credentials }], secret: () => 'the-same' });
    expect(await gate.ask('GET /', apikey('the-same'))).toMatchObject({ status: 200 });
    expect(gate.logs).toEqual([]);
  });
});
