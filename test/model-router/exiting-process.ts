// A router that has served a request, and then has nothing to do: exiting-process.js <origin> <what is left open>
import http from 'node:http';
import { modelRouter } from 'ai-proxy-multi';

const [origin = '', what = ''] = process.argv.slice(2);

const check = { enabled: true, interval_seconds: 5 };
const config = {
  provider_keys: [{ id: 'pk', display_name: 'pk', api_key: 'k', api_base: `${origin}/v1` }],
  models: [
    {
      display_name: 'one',
      provider: 'openai',
      model_name: 'm',
      provider_key_id: 'pk',
      rate_limit: { rpd: 100 },
      ...(what !== 'closed' && { background_model_check: check }),
    },
  ],
};

const never = { load: () => new Promise(() => {}), save: async () => {} };
const router = modelRouter(config, what === 'store' ? { store: never } : {});
router.admin({ keys: ['admin'] });

function ask(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = http.request({ port, path: '/v1/chat/completions', method: 'POST' }, (res) => {
      res.resume().once('end', () => resolve(res.statusCode));
    });
    sent.once('error', reject);
    sent.end(JSON.stringify({ model: 'one', messages: [{ role: 'user', content: 'Hi' }] }));
  });
}

if (what !== 'store') {
  const server = http.createServer(router);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const status = await ask(typeof address === 'object' && address !== null ? address.port : 0);
  server.close();
  if (what === 'closed') await router.close();
  process.stdout.write(`${status}\n`);
}
