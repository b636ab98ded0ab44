import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, type InstalledPackage, installPackage } from './installed-package.ts';

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage(
    'express',
    '@types/express',
    '@types/node',
    '@types/connect',
    '@types/morgan',
  );
}, 120_000);
afterAll(() => installed.remove());

interface Setup {
  readonly type: 'module' | 'commonjs';
  readonly module: string;
  readonly moduleResolution: string;
}

const setups: readonly (readonly [name: string, setup: Setup])[] = [
  ['nodenext-esm', { type: 'module', module: 'nodenext', moduleResolution: 'nodenext' }],
  ['nodenext-cjs', { type: 'commonjs', module: 'nodenext', moduleResolution: 'nodenext' }],
  ['bundler', { type: 'module', module: 'esnext', moduleResolution: 'bundler' }],
];

/** What the README tells its readers to write. */
const APPLICATION = `
import http from 'node:http';
import express from 'express';
import {
  aiProxy, aiProxyMulti, ConfigError, llmVariables,
  type AiProxyConfig, type AiProxyMultiConfig, type GatewayStatus, type Host, type Logger,
} from 'ai-proxy-multi';

const config: AiProxyMultiConfig = {
  fallback_strategy: ['http_429', 'http_5xx'],
  instances: [
    { name: 'openai', provider: 'openai', weight: 8, priority: 1,
      auth: { header: { Authorization: 'Bearer $env://OPENAI_API_KEY' } }, options: { model: 'gpt-4o' } },
  ],
};
const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const host: Host = {
  logger,
  secret: async (reference) => reference,
  vars: (name, req) => (name === 'method' ? req.method : undefined),
  onAttempt: (attempt) => console.log(attempt.instance),
  onFinish: (finish) => console.log(finish.llm_instance),
};
const single: AiProxyConfig = { provider: 'openai', auth: {} };

export const app = express();
const gateway = aiProxyMulti(config, host);
app.use('/ai', gateway);
app.post('/one', aiProxy(single));
app.use('/early', aiProxyMulti({ providers: [{ name: 'openai', model: 'gpt-4', auth: {} }], passthrough: true }));
app.use((_req, res, next) => {
  res.on('finish', () => console.log(llmVariables(res).llm_total_tokens));
  next();
});
http.createServer(gateway).listen(0);

try {
  gateway.update(config);
} catch (error) {
  if (error instanceof ConfigError) for (const { path, message } of error.errors) console.log(path, message);
}
export const status: GatewayStatus = gateway.status();
export const closed: Promise<void> = gateway.close();
`;

/** What must not compile: one mistake a line, from the fourth line on. */
const MISTAKES = [
  [
    'a misspelt option',
    `aiProxyMulti({ instances: [instance], fallback_stratgey: 'http_429' });`,
    'fallback_stratgey',
  ],
  [
    'a misspelt option of an instance',
    `aiProxyMulti({ instances: [{ ...instance, wieght: 2 }] });`,
    'wieght',
  ],
  ['an unknown provider', `aiProxyMulti({ instances: [{ ...instance, provider: 'opnai' }] });`, 'opnai'],
  [
    'an unknown strategy',
    `aiProxyMulti({ instances: [instance], fallback_strategy: 'http_4xx' });`,
    'http_4xx',
  ],
  [
    'an instance without auth',
    `aiProxyMulti({ instances: [{ name: 'a', provider: 'openai', weight: 1 }] });`,
    'auth',
  ],
  ['a timeout in words', `aiProxyMulti({ instances: [instance], timeout: '30s' });`, 'number'],
  [
    'a misspelt member of the host',
    `aiProxy({ provider: 'openai', auth: {} }, { loger: console });`,
    'loger',
  ],
  [
    'an update with something else',
    `aiProxyMulti({ instances: [instance] }).update({ provider: 'openai' });`,
    'provider',
  ],
] as const;

const MISTAKEN = `import { aiProxy, aiProxyMulti } from 'ai-proxy-multi';
const instance = { name: 'a', provider: 'openai', weight: 1, auth: {} } as const;

${MISTAKES.map(([, line]) => line).join('\n')}
`;

async function compileProject(name: string, { type, module, moduleResolution }: Setup): Promise<string[]> {
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    // Once is enough: it is about our own declarations, which are the same everywhere.
    skipLibCheck: moduleResolution === 'bundler',
    esModuleInterop: true,
    types: ['node'],
  };
  await installed.write(`${name}/package.json`, JSON.stringify({ type }));
  await installed.write(`${name}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ['.'] }));
  await installed.write(`${name}/app.ts`, APPLICATION);
  await installed.write(`${name}/mistaken.ts`, MISTAKEN);
  const { stdout } = await compile(installed, name);
  // A fault's further lines are indented.
  return stdout.trim().split(/\n(?!\s)/);
}

describe.each(setups)('a TypeScript project: %s', (name, setup) => {
  let faults: readonly string[];

  beforeAll(async () => {
    faults = await compileProject(name, setup);
  }, 60_000);

  it('compiles an application against the installed types', () => {
    expect(faults.filter((fault) => !fault.includes('mistaken.ts('))).toEqual([]);
  });

  it.each(MISTAKES.map(([what, , named], index) => ({ what, named, line: index + 4 })))(
    'does not compile $what',
    ({ named, line }) => {
      const fault = faults.find((candidate) => candidate.includes(`mistaken.ts(${line},`));
      expect(fault).toContain(named);
    },
  );
});
