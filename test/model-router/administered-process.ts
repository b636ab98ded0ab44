// A router with its admin API and a file store: node administered-process.js <file> <admin key>
import http from 'node:http';
import { fileStore } from '../../lib/model-router/admin/file-store.ts';
import { modelRouter } from '../../lib/model-router/model-router.ts';

const [, , file = '', key = ''] = process.argv;
const config = {
  provider_keys: [{ id: 'pk', display_name: 'pk', api_key: 'k', api_base: 'http://127.0.0.1:9/v1' }],
  models: [],
};
const router = modelRouter(config, { store: fileStore(file) });
const admin = router.admin({ keys: [key] });

const server = http.createServer((req, res) => admin(req, res, () => res.end()));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
