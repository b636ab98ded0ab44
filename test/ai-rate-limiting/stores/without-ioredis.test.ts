import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeProjectWithout, type Project } from '../../support/project-without.ts';

let project: Project;
beforeAll(async () => {
  project = await makeProjectWithout('ioredis');
});
afterAll(() => project.remove());

/** Makes a middleware there and prints what comes of it. */
function makeThere(middleware: string): Promise<string> {
  return project.run(`
    import { aiRateLimiting, apisixRouter, keyAuth } from './lib/index.js';
    try {
      ${middleware};
      console.log('made');
    } catch (error) {
      console.log(error.name, JSON.stringify(error.errors));
    }
  `);
}

const counted = { limit: 1, time_window: 60 };
const redis = { ...counted, policy: 'redis', redis_host: '127.0.0.1' };
const cluster = {
  ...counted,
  policy: 'redis-cluster',
  redis_cluster_nodes: ['a:1', 'b:1'],
  redis_cluster_name: 'c',
};
const sentinel = {
  ...counted,
  policy: 'redis-sentinel',
  redis_sentinels: [{ host: 'sentinel', port: 1 }],
  redis_master_name: 'm',
};

function faultAt(place: string, policy = 'redis'): object {
  const message = `is "${policy}", which needs the package ioredis: npm install ioredis`;
  return { path: place, message };
}

async function faultsOf(middleware: string): Promise<unknown> {
  const [, faults = ''] = /^ConfigError (.*)\n$/.exec(await makeThere(middleware)) ?? [];
  return JSON.parse(faults);
}

describe('a project without ioredis', () => {
  it.each([redis, cluster, sentinel])('is told at once what to install for $policy', async (config) => {
    const faults = await faultsOf(`aiRateLimiting(${JSON.stringify(config)})`);
    expect(faults).toEqual([faultAt('policy', config.policy)]);
  });

  it('is told where it stands for all consumers of keyAuth that need it', async () => {
    const consumers = ['a', 'b'].map((username) => ({
      username,
      plugins: { 'key-auth': { key: username }, 'ai-rate-limiting': redis },
    }));
    expect(await faultsOf(`keyAuth({}, { consumers: ${JSON.stringify(consumers)} })`)).toEqual([
      faultAt('consumers[0].plugins["ai-rate-limiting"].policy'),
      faultAt('consumers[1].plugins["ai-rate-limiting"].policy'),
    ]);
  });

  it('is told where it stands for all routes and consumers of apisixRouter', async () => {
    const proxy = { provider: 'openai', auth: {} };
    const config = {
      routes: { chat: { uri: '/chat', plugins: { 'ai-proxy': proxy, 'ai-rate-limiting': redis } } },
      consumers: [{ username: 'a', plugins: { 'key-auth': { key: 'k' }, 'ai-rate-limiting': sentinel } }],
    };
    expect(await faultsOf(`apisixRouter(${JSON.stringify(config)})`)).toEqual([
      faultAt('consumers[0].plugins["ai-rate-limiting"].policy', 'redis-sentinel'),
      faultAt('routes.chat.plugins["ai-rate-limiting"].policy'),
    ]);
  });

  it('counts in its own memory', async () => {
    expect(await makeThere(`aiRateLimiting(${JSON.stringify(counted)})`)).toBe('made\n');
  });
});
