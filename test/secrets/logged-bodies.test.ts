import { afterEach, describe, expect, it, vi } from 'vitest';
import { echoModel, type Script, startUpstream } from '../support/upstream.ts';
import { expectNoSecretIn, headOf, MARK, secretInstance, startWitness } from './witness.ts';

// What a failed LLM says is logged, up to 4 KiB of it. Providers quote keys in their errors, whole or in part, so
// wherever the text is cut, half a key must not be left over.

afterEach(() => vi.unstubAllEnvs());

const LOGGED = 4 * 1024;
const TOKEN = `sk-${MARK}-in-a-header`;

/** What is in the log after an LLM failed. */
async function loggedAfter(script: Script, more = {}): Promise<{ text: string; body: unknown }> {
  const [failing, working] = [await startUpstream(script), await startUpstream(echoModel())];
  const { ask, seen, logged } = await startWitness({
    fallback_strategy: ['http_5xx'],
    instances: [
      secretInstance('failing', failing.url, { priority: 1, ...more }),
      secretInstance('working', working.url),
    ],
  });
  expect(headOf(await ask())).toContain('x-served-by: working');
  const [line, ...others] = await logged(1);
  expect(others).toEqual([]);
  return { text: seen(), body: line?.data.body };
}

describe('the logged body of a failed answer', () => {
  it.each([1, 5, 10, TOKEN.length - 1])(
    'shows nothing of a secret of which %i characters are within the limit',
    async (within) => {
      const { text, body } = await loggedAfter((_call, res) => {
        res.writeHead(500).end(`${'x'.repeat(LOGGED - within)}${TOKEN} and more`);
      });
      expect(body).toMatch(/^x{4000,4095}/);
      expect(String(body).length).toBeLessThanOrEqual(LOGGED);
      expectNoSecretIn(text);
    },
  );

  it('shows nothing of a secret that the LLM broke off in', async () => {
    const { text, body } = await loggedAfter((_call, res) => {
      res.writeHead(500).write(`the key was ${TOKEN.slice(0, -4)}`, () => res.destroy());
    });
    expect(body).toBe('the key was ***');
    expectNoSecretIn(text);
  });

  it('shows nothing of a secret of which the end comes after the limit', async () => {
    const { text, body } = await loggedAfter((_call, res) => {
      // The second half is never sent: by then, enough has come.
      res.writeHead(500).write(`${'x'.repeat(LOGGED)}${TOKEN.slice(0, 12)}`);
    });
    expect(body).toMatch(/^x{4096}$/);
    expectNoSecretIn(text);
  });

  it('shows nothing of a secret that begins like another one', async () => {
    const auth = { auth: { header: { 'x-short': 'abcd' }, query: { long: `abcd-${MARK}` } } };
    const { text, body } = await loggedAfter(
      (_call, res) => res.writeHead(500).end(`abcd, abcd-${MARK}`),
      auth,
    );
    expect(body).toBe('***, ***');
    expectNoSecretIn(text);
  });

  it('is one line without control characters, whatever the LLM sent', async () => {
    const { body } = await loggedAfter((_call, res) =>
      res.writeHead(500).end('a\r\n{"level":"info"}\u001b[31m\u0000b\u0085c'),
    );
    expect(body).toBe('a {"level":"info"} [31m b c');
  });
});
