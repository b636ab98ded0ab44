import { modelRouter } from 'ai-proxy-multi';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isJsonObject } from '../../lib/config/json.ts';
import { objectsIn } from '../../lib/protocols/json.ts';
import { makeLogger, UUID } from '../model-router/admin/admin-app.ts';
import { asConfig, keyAt, startVendor, type Vendor } from '../model-router/live-router.ts';
import { serve } from '../support/app.ts';
import { type Command, readAisixPage } from './aisix-page.ts';

const page = readAisixPage();
const { AISIX_ADMIN_KEY: adminKey, PRIMARY_MODEL, SECONDARY_MODEL } = page.variables;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

async function send(origin: string, { method, path, headers, body }: Command): Promise<Answer> {
  const response = await fetch(`${origin}${path}`, { method, headers, body });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** The page's prerequisites: a gateway with its two listeners, and two target models that can serve. */
async function prepare() {
  const primary = await startVendor('primary');
  const secondary = await startVendor('secondary');
  const keys = [keyAt('primary', primary.url), keyAt('secondary', secondary.url)];
  const gateway = modelRouter(asConfig({ provider_keys: keys, models: [], api_keys: [] }), {
    logger: makeLogger([]),
  });
  onTestFinished(() => gateway.close());
  const { url: proxy } = await serve(express().use(gateway));
  const { url: admin } = await serve(express().use(gateway.admin({ keys: [adminKey] })));
  const models: readonly [string | undefined, string][] = [
    [PRIMARY_MODEL, 'primary'],
    [SECONDARY_MODEL, 'secondary'],
  ];
  for (const [name, key] of models) {
    const model = { display_name: name, provider: 'openai', model_name: 'gpt-4o', provider_key_id: key };
    const { status } = await send(admin, { ...page.createAlias, body: JSON.stringify(model) });
    expect(status).toBe(200);
  }
  return { primary, secondary, proxy, admin };
}

/** The page's gateway with other fields in the alias's `routing`. */
async function prepareTuned(fields: object) {
  const prepared = await prepare();
  const alias: unknown = JSON.parse(page.createAlias.body);
  const routing = isJsonObject(alias) && isJsonObject(alias.routing) ? alias.routing : {};
  const body = JSON.stringify({ display_name: 'chat-prod', routing: { ...routing, ...fields } });
  expect((await send(prepared.admin, { ...page.createAlias, body })).status).toBe(200);
  await send(prepared.admin, page.createCaller);
  return prepared;
}

async function statusRows(admin: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${adminKey}` };
  return (await fetch(`${admin}/admin/v1/models/status`, { headers })).json();
}

/** Lets both target models be checked in the background, and waits until both have failed. */
async function failChecks(admin: string): Promise<void> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const entries = objectsIn(await (await fetch(`${admin}/admin/v1/models`, { headers })).json());
  for (const { id, value } of entries) {
    if (!isJsonObject(value) || value.routing !== undefined) continue;
    const check = { enabled: true, interval_seconds: 3600, prompt: 'ping' };
    const body = JSON.stringify({ ...value, background_model_check: check });
    await send(admin, { method: 'PUT', path: `/admin/v1/models/${id}`, headers, body });
  }
  for (;;) {
    const rows = objectsIn(await statusRows(admin));
    if (rows.filter((row) => row.status === 'unhealthy').length === 2) return;
  }
}

function callsOf(...vendors: readonly Vendor[]): readonly number[] {
  return vendors.map(({ calls }) => calls.length);
}

describe('seed 002', () => {
  it('works as the page says, line by line', async () => {
    const { primary, secondary, proxy, admin } = await prepare();

    const alias = await send(admin, page.createAlias);
    expect(alias.status).toBe(200);
    expect(alias.body).toEqual({ ...page.aliasAnswer, id: expect.stringMatching(UUID) });

    const caller = await send(admin, page.createCaller);
    expect(caller.status).toBe(200);
    expect(caller.body).toEqual({ ...page.callerAnswer, id: expect.stringMatching(UUID) });

    const answer = await send(proxy, page.ask);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ object: 'chat.completion', model: 'chat-prod' });
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(answer.headers.get('x-aisix-call-id')).toMatch(UUID);
    expect(answer.headers.get('x-aisix-served-by')).toBe(PRIMARY_MODEL);
    // The page's `server: AISIX/0.1.0` is not ours to claim.
    const missing = page.headerNames.filter((name) => !answer.headers.has(name));
    expect(missing).toEqual(['server']);
    expect(JSON.parse(primary.calls[0]?.body ?? '')).toMatchObject({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Hello from AISIX routing.' }],
    });

    await primary.close();
    const failedOver = await send(proxy, page.ask);
    expect(failedOver.status).toBe(200);
    expect(failedOver.body).toMatchObject({ model: 'chat-prod' });
    expect(failedOver.headers.get('x-aisix-served-by')).toBe(SECONDARY_MODEL);
    expect(callsOf(primary, secondary)).toEqual([1, 1]);

    expect(await statusRows(admin)).toEqual([
      {
        id: expect.stringMatching(UUID),
        display_name: PRIMARY_MODEL,
        kind: 'direct',
        status: 'cooldown',
        cooldown_until: { secs_since_epoch: expect.any(Number), nanos_since_epoch: expect.any(Number) },
        status_reason: 'transport_error',
      },
      { id: expect.stringMatching(UUID), display_name: SECONDARY_MODEL, kind: 'direct', status: 'healthy' },
      {
        id: isJsonObject(alias.body) ? alias.body.id : undefined,
        display_name: 'chat-prod',
        kind: 'routing',
        status: 'not_applicable',
      },
    ]);
  });

  it('the primary target is retried once before the secondary is asked', async () => {
    const { primary, secondary, proxy } = await prepareTuned({});
    primary.status = 503;
    const { headers } = await send(proxy, page.ask);
    expect(headers.get('x-aisix-served-by')).toBe(SECONDARY_MODEL);
    expect(callsOf(primary, secondary)).toEqual([2, 1]);
  });

  it('the caller key can call only the alias', async () => {
    const { proxy } = await prepareTuned({});
    const body = page.ask.body.replace('chat-prod', PRIMARY_MODEL ?? '');
    expect((await send(proxy, { ...page.ask, body })).status).toBe(403);
  });

  it('x-aisix-served-by is not there on errors', async () => {
    const { primary, secondary, proxy } = await prepareTuned({});
    primary.status = 400;
    secondary.status = 400;
    const { status, headers } = await send(proxy, page.ask);
    expect({ status, servedBy: headers.get('x-aisix-served-by') }).toEqual({ status: 400, servedBy: null });
  });
});

describe('the tuning that seed 002 proposes', () => {
  it('max_fallbacks: 0 selects a target and never crosses over to another', async () => {
    const { primary, secondary, proxy } = await prepareTuned({ max_fallbacks: 0, retries: 0 });
    primary.status = 503;
    expect((await send(proxy, page.ask)).status).toBe(502);
    expect(callsOf(primary, secondary)).toEqual([1, 0]);
    // The primary is benched now: the next request selects the other one.
    const { headers } = await send(proxy, page.ask);
    expect(headers.get('x-aisix-served-by')).toBe(SECONDARY_MODEL);
    expect(callsOf(primary, secondary)).toEqual([1, 1]);
  });

  it.each([
    [true, 200, [1, 1]],
    [false, 429, [1, 0]],
  ])('retry_on_429: %s', async (retry, status, calls) => {
    const { primary, secondary, proxy } = await prepareTuned({ retry_on_429: retry, retries: 0 });
    primary.status = 429;
    expect((await send(proxy, page.ask)).status).toBe(status);
    expect(callsOf(primary, secondary)).toEqual(calls);
  });

  it.each([
    ['fail', 503, 0],
    ['original_order', 200, 1],
  ])('on_all_filtered: %j where no target is healthy', async (policy, status, calls) => {
    const { primary, secondary, proxy, admin } = await prepareTuned({ on_all_filtered: policy, retries: 0 });
    primary.status = 500;
    secondary.status = 500;
    await failChecks(admin);
    primary.status = 200;
    const probes = primary.calls.length;
    const answer = await send(proxy, page.ask);
    expect(answer.status).toBe(status);
    expect(primary.calls.length - probes).toBe(calls);
    if (status === 503) {
      expect(answer.body).toMatchObject({ error: { type: 'all_candidates_unavailable' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
  });
});
