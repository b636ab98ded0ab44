import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startMockLlm } from '../../examples/mock-llm.ts';
import { readPath } from '../../examples/read-path.ts';
import { describeWithRedis, startRedis } from '../support/redis.ts';
import { runCompiledExample, runExample } from './run-example.ts';

describe('each example runs by itself, shows what it is about and ends', () => {
  it.each<[file: string, facts: RegExp[]]>([
    ['weighted.ts', [/^OpenAI responses: 8$/m, /^DeepSeek responses: 2$/m]],
    [
      'failover.ts',
      [
        /^Attempts: openai-primary 429 → anthropic-fallback 200$/m,
        /^Answer: 200 from claude-sonnet-4-20250514$/m,
      ],
    ],
    [
      'priorities.ts',
      [
        /^Request 1: deepseek-primary 200$/m,
        /^Request 4: deepseek-primary 503 → gpt-4o-mini-secondary 429 → gpt-4o-premium 200$/m,
      ],
    ],
    ['streaming.ts', [/^Newton's laws of motion are/m, /^\d{2,} chunks, \d+ tokens, finish_reason stop$/m]],
    [
      'embeddings.ts',
      [/^openai-instance: 1536 dimensions, 2 tokens$/m, /^az-openai-instance: 1536 dimensions, 2 tokens$/m],
    ],
    [
      'max-tokens.ts',
      [
        /^openai-instance: 50 completion tokens, finish_reason length$/m,
        /^deepseek-instance: 100 completion tokens, finish_reason length$/m,
      ],
    ],
    ['health-checks.ts', [/^local is unhealthy \(ECONNREFUSED\)$/m, /^Six requests: openai 6$/m]],
    ['status-page.ts', [/^Without a password: 401$/m, /^The last fallback: openai 429 → deepseek 200$/m]],
    ['prometheus.ts', [/^apisix_llm_fallbacks_total\{.*instance="openai",direction="out"\} 2$/m]],
    ['sticky.ts', [/^alice: three requests, served by (openai|deepseek)-instance$/m]],
    [
      'access-log.ts',
      [
        /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:[\d:]{8} \+0000\] 127\.0\.0\.1:\d+ "POST \/anything HTTP\/1\.1" 200 \d+ [\d.]+ "-" "\S+" openai-instance - \d+ "openai" "[0-9a-f]{32}" "ai_chat" "\d+" "gpt-4" "18" "3"$/m,
      ],
    ],
    [
      'nemoclaw-fallback.ts',
      [
        /^OpenAI is up: 200 from openai \(gpt-3\.5-turbo\)$/m,
        /^OpenAI is down: 200 from nemoclaw \(nemoclaw\)$/m,
      ],
    ],
    [
      'existing-service.ts',
      [
        /^Orders: \["a chair","a table"\]$/m,
        /^Chat: 1\+1 equals 2\.$/m,
        /^Stream: \d+ events, ended by data: \[DONE\]$/m,
        /^helmet's header on the LLM's answer: nosniff$/m,
        /^POST \/ai 200 /m,
      ],
    ],
    [
      'rate-limit.ts',
      [
        /^Request 1: 200 from openai-instance, 13 tokens$/m,
        /^Request 2: 200 from deepseek-instance, 13 tokens$/m,
        /^Request 3: 503 from nobody, The token quota for this LLM service is used up\.$/m,
        /^ {2}retry-after: \d+$/m,
        /^ {2}x-ai-ratelimit-remaining-openai-instance: 0$/m,
      ],
    ],
    [
      'consumers.ts',
      [
        /^Alice's second request: 200 answered$/m,
        /^Bob's second request: 429 quota_exceeded$/m,
        /^With a wrong key: 401 Invalid API key in request$/m,
        /^With a wrong key, as a stranger: 429 quota_exceeded$/m,
      ],
    ],
    [
      'apisix-route.ts',
      [
        /^Without a key: 401 Missing API key in request$/m,
        /^johndoe is answered by \S+-instance, \S+-instance, deepseek-instance, deepseek-instance$/m,
        /^janedoe is answered by \S+-instance, \S+-instance, openai-instance, openai-instance$/m,
      ],
    ],
    [
      'model-router.ts',
      [
        /^POST \/admin\/v1\/models \{"display_name":"chat-prod",.*\n {2}200\n {2}\{"id":"[0-9a-f-]{36}",.*,"revision":1\}$/m,
        /^POST \/v1\/chat\/completions .*\n {2}200, x-aisix-served-by: gpt-4o-primary\n.*"model":"chat-prod"/m,
        /^PUT \/admin\/v1\/provider_keys\/\S+ .*\n {2}200\n.*"api_key":"\*\*\*".*"revision":2\}$/m,
        /^--- The same question(?:.*\n)*? {2}200, x-aisix-served-by: gpt-4o-secondary$/m,
        /"display_name":"gpt-4o-primary","kind":"direct","status":"cooldown","cooldown_until":.*"status_reason":"transport_error"/,
        /^--- A new router (?:.*\n)*? {2}200, x-aisix-served-by: gpt-4o-secondary$/m,
      ],
    ],
    [
      'model-router-sdk.ts',
      [
        /^Models for this key: chat$/m,
        /^chat, served by small: 1\+1 equals 2\.$/m,
        /^chat, streamed: 1\+1 equals 2\.$/m,
      ],
    ],
  ])('%s', async (file, facts) => {
    const { code, output } = await runCompiledExample(file).ended;
    for (const fact of facts) expect(output).toMatch(fact);
    expect(code).toBe(0);
  });
});

/** A PATH on which there is Node and nothing else. */
function pathWithoutRedis(): string {
  const directory = mkdtempSync(join(tmpdir(), 'path-'));
  symlinkSync(process.execPath, join(directory, 'node'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

const sharedQuota = [
  /^Two processes have 130 tokens a minute between them\.$/m,
  /^After four answers, each of them says: 78 and 78 left$/m,
  /^After ten answers: 0 and 0 left$/m,
  /^One more: 503 quota_exceeded\nOne more: 503 quota_exceeded$/m,
];

describeWithRedis('redis.ts', () => {
  it('shares a quota between two processes, over a Redis that it starts itself', async () => {
    const { code, output } = await runExample('redis.ts').ended;
    for (const fact of sharedQuota) expect(output).toMatch(fact);
    expect(code).toBe(0);
  });

  it('takes the Redis that it is told, and leaves nothing there without an end', async () => {
    const { host, port, call } = await startRedis();
    const env = { REDIS_HOST: host, REDIS_PORT: String(port), PATH: pathWithoutRedis() };
    const { code, output } = await runCompiledExample('redis.ts', env).ended;
    for (const fact of sharedQuota) expect(output).toMatch(fact);
    expect(code).toBe(0);
    const keys = await call('KEYS', '*');
    expect(keys).toEqual([expect.stringMatching(/^example-/)]);
    expect(await call('TTL', String(Array.isArray(keys) ? keys[0] : ''))).toSatisfy(
      (seconds: number) => seconds > 0 && seconds <= 60,
    );
  });
});

describe('redis.ts without a Redis', () => {
  it('says so and ends well', async () => {
    const { code, output } = await runCompiledExample('redis.ts', { PATH: pathWithoutRedis() }).ended;
    expect(output).toContain('there is no redis-server on the PATH');
    expect(code).toBe(0);
  });
});

interface Curl {
  url: string;
  init: RequestInit;
}

/** Only the forms that start.ts prints. */
function readCurls(output: string): Curl[] {
  return [...output.matchAll(/^curl -sN (\S+)(?: -H '(.+?): (.+?)' -d '(.+)')?$/gm)].map(
    ([, url = '', header = '', value = '', body]) => ({
      url,
      init: body === undefined ? {} : { method: 'POST', headers: { [header]: value }, body },
    }),
  );
}

describe('npm start', () => {
  it('serves the curls it prints, logs where each answer came from, and stops on SIGTERM', async () => {
    const gateway = runExample('start.ts', { PORT: '0' });
    onTestFinished(() => gateway.kill('SIGKILL'));
    const { input = '' } = await gateway.waitFor(/The log, a line for each request:/);
    const [chat, stream, embeddings, models] = readCurls(input);
    const [, page = ''] = /^What they are doing, live: (\S+)$/m.exec(input) ?? [];
    if (!chat || !stream || !embeddings || !models) throw new Error(`printed too few curls:\n${input}`);

    const ask = ({ url, init }: Curl) => fetch(url, init);
    const chatAnswer = await ask(chat);
    expect(readPath(await chatAnswer.json(), 'choices', 0, 'message', 'content')).toBe('1+1 equals 2.');
    expect(chatAnswer.headers.get('x-served-by')).toBe('flaky');
    expect(await (await ask(stream)).text()).toMatch(/^(data: \{.*\}\n\n){4,}data: \[DONE\]\n\n$/);
    expect(readPath(await (await ask(embeddings)).json(), 'data', 0, 'embedding')).toHaveLength(1536);
    expect(readPath(await (await ask(models)).json(), 'data', 0, 'id')).toBe('gpt-4');
    await gateway.waitFor(/^POST \/v1\/chat\/completions 200 in \d+ ms: flaky 200$/m);
    await gateway.waitFor(/^POST \/v1\/embeddings 200 in \d+ ms: \w+ 200$/m);
    await gateway.waitFor(/^GET \/v1\/models 200 in \d+ ms: \w+ 200$/m);

    // "flaky" has half of the weight and refuses every third request: eight more are sure to contain one.
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(chat)));
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    await gateway.waitFor(/^POST \/v1\/chat\/completions 200 in \d+ ms: flaky 429 → (plain|slow) 200$/m);
    expect(await (await fetch(page)).text()).toContain('<title>Gateway status</title>');
    const status = await (await fetch(`${page}/status.json`)).json();
    expect(readPath(status, 'gateways', 0, 'status', 'instances')).toMatchObject([
      { name: 'flaky', answers: { '4xx': expect.any(Number) } },
      { name: 'slow' },
      { name: 'plain' },
    ]);

    gateway.kill('SIGTERM');
    const { code, output } = await gateway.ended;
    expect(output).toMatch(/^Stopped\.$/m);
    expect(code).toBe(0);
  });

  it('says so when its port is in use', async () => {
    const occupant = await startMockLlm();
    onTestFinished(() => occupant.close());
    const { code, output } = await runCompiledExample('start.ts', { PORT: String(occupant.port) }).ended;
    expect(output).toContain(`Port ${occupant.port} is in use`);
    expect(code).toBe(1);
  });
});
