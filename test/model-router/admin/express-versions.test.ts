import { createRequire } from 'node:module';
import express from 'express';
import { describe, expect, it } from 'vitest';
import type { Express } from '../../../lib/model-router/admin/load-express.ts';
import { makeAdminRouter } from '../../../lib/model-router/admin/make-admin-router.ts';
import { serve } from '../../support/app.ts';
import {
  ADMIN_KEY,
  caller,
  chatProd,
  idOf,
  makeLogger,
  makeRegistry,
  primary,
  startAdmin,
} from './admin-app.ts';

const require = createRequire(import.meta.url);

// Express 4 has no types of its own here; what the tests use of it has not changed.
const express4: typeof express = require('express4');
const routers: Readonly<Record<string, Express>> = {
  'Express 4': require('express4'),
  'Express 5': require('express'),
};

const keys = [ADMIN_KEY];

describe.each([
  { app: 'Express 5', router: 'Express 5', makeApp: express },
  { app: 'Express 4', router: 'Express 4', makeApp: express4 },
  { app: 'Express 4', router: 'Express 5', makeApp: express4 },
  { app: 'Express 5', router: 'Express 4', makeApp: express },
])('in an app of $app, with the router of $router', ({ makeApp, router: version }) => {
  const start = () =>
    startAdmin(
      {},
      {
        makeApp,
        makeRouter: (registry, logger) => makeAdminRouter({ keys }, registry, logger, routers[version]),
      },
    );

  it('a whole life of a resource is served', async () => {
    const { call } = await start();
    await call('POST', '/admin/v1/models', primary);
    const alias = await call('POST', '/admin/v1/models', chatProd);
    const place = `/admin/v1/models/${idOf(alias)}`;
    expect((await call('GET', place)).body).toMatchObject({ value: chatProd, revision: 1 });
    expect((await call('HEAD', place)).status).toBe(200);
    expect((await call('PUT', place, chatProd)).body).toMatchObject({ revision: 2 });
    expect((await call('DELETE', place)).status).toBe(200);
    expect((await call('GET', place)).status).toBe(404);
  });

  it('a key is rotated and the state is told', async () => {
    const { call } = await start();
    const key = await call('POST', '/admin/v1/apikeys', caller);
    expect((await call('POST', `/admin/v1/api_keys/${idOf(key)}/rotate`)).status).toBe(200);
    expect(await call('GET', '/admin/v1/models/status')).toMatchObject({ status: 200, body: [] });
  });

  it('errors are answered', async () => {
    const { call, url } = await start();
    expect((await call('POST', '/admin/v1/models', '{')).status).toBe(400);
    expect((await call('GET', '/admin/v1/models/%ff')).status).toBe(400);
    expect((await call('OPTIONS', '/admin/v1/models')).status).toBe(405);
    expect((await fetch(`${url}/admin/v1/models`)).status).toBe(401);
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  });
});

describe('without a framework', () => {
  it('the router serves a bare http server', async () => {
    const router = makeAdminRouter({ keys }, makeRegistry(), makeLogger([]));
    const { url } = await serve((req, res) =>
      router(req, res, () => {
        res.statusCode = 404;
        res.end();
      }),
    );
    const headers = { 'x-api-key': ADMIN_KEY };
    expect(await (await fetch(`${url}/admin/v1/models`, { headers })).json()).toEqual([]);
    expect((await fetch(`${url}/elsewhere`, { headers })).status).toBe(404);
  });
});
