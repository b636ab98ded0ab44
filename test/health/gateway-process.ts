/** Serves the configuration it is given; prints its address, and each change of an instance's health. */

import { createServer } from 'node:http';
import { aiProxyMulti } from 'ai-proxy-multi';

const gateway = aiProxyMulti(JSON.parse(process.argv[2] ?? ''), {
  onHealth: ({ instance, state }) => process.stdout.write(`${instance} ${state}\n`),
});
const server = createServer(gateway).listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') process.stdout.write(`port ${address?.port}\n`);
});
