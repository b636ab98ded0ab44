import { EventEmitter, once } from 'node:events';
import { inspect } from 'node:util';
import { type AiProxyMultiConfig, type aiProxyMulti, type Host, llmVariables } from 'ai-proxy-multi';
import { expect, vi } from 'vitest';
import { type App, type InstanceConfig, type LogLine, startApp } from '../support/app.ts';
import { connectRaw, rawPost } from '../support/raw.ts';
import type { Call } from '../support/upstream.ts';

/** A part of every secret below that no encoding changes. Nothing else in these tests holds it. */
export const MARK = 'hunter2';

const SECRETS = {
  header: `sk-${MARK}-in-a-header`,
  environment: `sk-${MARK}-in-the-environment`,
  json: `sk-${MARK}-in-JSON`,
  vault: `sk-${MARK}-in-a-vault`,
  // Encoded, it reads differently in a URL.
  query: `${MARK} in/a+query==`,
};

/** Credentials from every place from which they can come. To be called within a test. */
export function secretAuth(): InstanceConfig['auth'] {
  vi.stubEnv('LLM_KEY', SECRETS.environment);
  vi.stubEnv('LLM_KEYS', JSON.stringify({ keys: { llm: SECRETS.json } }));
  return {
    header: {
      Authorization: `Bearer ${SECRETS.header}`,
      'x-api-key': '$env://LLM_KEY',
      'x-from-json': 'Key $env://LLM_KEYS/keys/llm',
      'x-from-vault': '$secret://vault/llm',
    },
    query: { key: SECRETS.query, other: '$secret://vault/llm' },
  };
}

export function secretInstance(
  name: string,
  endpoint: string,
  more: Partial<InstanceConfig> = {},
): InstanceConfig {
  return { name, provider: 'openai', weight: 1, auth: secretAuth(), override: { endpoint }, ...more };
}

/** Everything that was sent to an LLM, told back in every way in which a careless one might. */
export function echoOf(call: Call): { headers: Record<string, string | string[]>; text: string } {
  const query = new URL(call.url, 'http://llm.test').searchParams;
  const sent = [...call.rawHeaders, ...query.values(), call.url];
  return {
    headers: {
      'x-echo-token': call.headers.authorization?.slice('Bearer '.length) ?? '',
      'x-echo-header': `your key was ${call.headers['x-api-key']}`,
      'x-echo-list': ['harmless', String(call.headers['x-from-json'])],
      'x-echo-query': query.get('key') ?? '',
      'x-echo-url': call.url,
      location: `https://llm.test${call.url}`,
      link: `<https://llm.test/?key=${encodeURIComponent(query.get('key') ?? '')}>; rel="next"`,
      authorization: call.headers.authorization ?? '',
      'x-from-vault': 'a header whose name was injected',
      'set-cookie': `key=${call.headers['x-api-key']}`,
    },
    text: JSON.stringify({ error: { message: `You sent ${sent.join(', ')}`, url: call.url, sent } }),
  };
}

export interface Witness {
  readonly app: Omit<App, 'logs'>;
  /** Resolves with the log as soon as it has that many lines. */
  logged(count: number): Promise<readonly LogLine[]>;
  /** Everything that could be seen, but for the answers: logs, hooks, variables, status. */
  seen(): string;
  /** Sends one request by hand, and returns all the bytes of the answer. */
  ask(body?: string): Promise<string>;
}

/** As much of a value as anything could print. */
export function everythingOf(value: unknown): string {
  const shown = inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null });
  const stack = value instanceof Error ? `${value.stack}${String(value)}` : '';
  return `${shown}${stack}${JSON.stringify(value)}`;
}

type Config = Parameters<typeof aiProxyMulti>[0] & Partial<AiProxyMultiConfig>;

/** A gateway of which everything is watched that it lets out. */
export async function startWitness(config: Config, host: Host = {}): Promise<Witness> {
  const noticed: unknown[] = [];
  const logs: LogLine[] = [];
  const lines = new EventEmitter();
  const log =
    (level: LogLine['level']) =>
    (data: object, message: string): void => {
      logs.push({ level, data: { ...data }, message });
      lines.emit('line');
    };
  const app = await startApp(
    { ...config, logging: { summaries: true, payloads: true } },
    {
      host: {
        logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
        secret: () => SECRETS.vault,
        servedByHeader: 'x-served-by',
        ...host,
        onAttempt(attempt) {
          noticed.push(structuredClone(attempt));
          host.onAttempt?.(attempt);
        },
      },
      before(express) {
        express.use((_req, res, next) => {
          res.on('close', () => noticed.push(res.locals, llmVariables(res), res.getHeaders()));
          next();
        });
      },
    },
  );
  return {
    app,
    seen: () => everythingOf([noticed, logs, app.finished, app.middleware.status()]),
    async logged(count) {
      while (logs.length < count) await once(lines, 'line');
      return logs;
    },
    async ask(body = '{"messages":[{"role":"user","content":"Hi"}]}') {
      const before = app.finished.length;
      const client = await connectRaw(app.port);
      client.write(rawPost('/v1/chat/completions', body, ['Connection: close']));
      const answer = await client.closed();
      await app.ended(before + 1);
      return answer;
    },
  };
}

/** The head of an answer: its status line and headers. */
export function headOf(answer: string): string {
  return answer.slice(0, answer.indexOf('\r\n\r\n'));
}

export function expectNoSecretIn(text: string): void {
  const at = text.toLowerCase().indexOf(MARK);
  expect(at === -1 ? '' : text.slice(Math.max(0, at - 200), at + 100)).toBe('');
}
