// A process of its own, to see whether it ends by itself: node exiting-process.js <settings> <how>
import { openLocalStore } from '../../../lib/ai-rate-limiting/local-store.ts';
import { openStore } from '../../../lib/ai-rate-limiting/open-store.ts';
import type { LoadedStore } from '../../../lib/config/loaded-rate-limiting.ts';

const [, , settingsText = '', how = ''] = process.argv;
const settings: LoadedStore = JSON.parse(settingsText);
const lines: string[] = [];
const log = (_data: object, message: string): void => {
  lines.push(message);
};
const logger = { debug: log, info: log, warn: log, error: log };
const store =
  settings.policy === 'local' ? openLocalStore() : openStore(settings, { logger, secret: undefined });

if (how !== 'never-used') {
  const charge = { key: 'exiting', amount: 1, windowSeconds: 600 };
  // Not waited for at the end of the file: what is under way must be waited for all the same.
  Promise.resolve(store.add([charge, { ...charge, key: 'another' }]))
    .then(() => store.read(['exiting']))
    .then(
      ([counter]) => console.log(`used ${counter?.used}`),
      (error: Error) => console.log(error.message),
    )
    .then(() => (how === 'close' ? store.close() : undefined));
}
