// A process that saves ever new configurations until it is killed: node saving-process.js <file> <from>
import { writeSync } from 'node:fs';
import { fileStore } from '../../../lib/model-router/admin/file-store.ts';

const [, , file = '', from = '0'] = process.argv;
const store = fileStore(file);

for (let number = Number(from); ; number++) {
  // Long, and all of it tells the number, so that half of one and half of another is no whole.
  const models = Array.from({ length: 500 }, (_, index) => ({
    id: String(index),
    display_name: `${number}`,
  }));
  await store.save({ provider_keys: [], models });
  // Into the pipe at once: what is acknowledged must not be lost with the process.
  writeSync(1, `${number}\n`);
}
