/** A process that has health checks and nothing to do once its standard input has ended. Never calls `close()`. */

import { aiProxyMulti } from 'ai-proxy-multi';

const [url = '', type, secret] = process.argv.slice(2);
const hangs = secret === 'hanging-secret';
if (type !== 'http' && type !== 'https' && type !== 'tcp') throw new Error('no type');

aiProxyMulti(
  {
    instances: [
      {
        name: 'a',
        provider: 'openai-compatible',
        weight: 1,
        auth: hangs ? { header: { authorization: '$secret://vault/key' } } : {},
        override: { endpoint: url },
        checks: { active: { type, timeout: 60, https_verify_certificate: false } },
      },
    ],
  },
  {
    onHealth: ({ state }) => process.stdout.write(`${state}\n`),
    secret() {
      process.stdout.write('asked\n');
      return new Promise(() => {});
    },
  },
);
process.stdin.resume();
