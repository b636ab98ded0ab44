import express from 'express';
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../support/gateway.ts';
import { connectRaw } from '../../support/raw.ts';
import { ADMIN_KEY, field, openaiKey, primary, startAdmin } from './admin-app.ts';

describe('a body', () => {
  it.each([
    ['that is not JSON', '{"display_name":"sk-secret"', 'The body is not JSON.'],
    ['that is empty', '', 'The body is not JSON.'],
    ['that is an array', '[]', 'The body must be a JSON object.'],
    ['that is null', 'null', 'The body must be a JSON object.'],
    ['that is a string', '"sk-secret"', 'The body must be a JSON object.'],
    ['with __proto__', '{"__proto__":{"admin":true}}', '__proto__: is no name a field may have'],
    [
      'with __proto__ inside',
      '{"routing":{"__proto__":{}}}',
      'routing.__proto__: is no name a field may have',
    ],
    [
      'with constructor',
      '{"display_name":"x","constructor":{"prototype":{}}}',
      'constructor: is not a field',
    ],
    ['nested too deeply', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 'a.a.a: is nested deeper'],
  ])('%s is refused', async (_what, body, message) => {
    const { call, registry } = await startAdmin();
    for (const [method, path] of [
      ['POST', '/admin/v1/models'],
      ['PUT', '/admin/v1/models/m-primary'],
    ] as const) {
      await registry.replace({ provider_keys: [], models: [{ id: 'm-primary', ...primary }] });
      const answer = await call(method, path, body);
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).not.toContain('sk-secret');
      expect(field(answer, 'error_msg')).toContain(message);
    }
  });

  it('with __proto__ reaches no prototype', async () => {
    const { call } = await startAdmin();
    await call('POST', '/admin/v1/models', '{"display_name":"x","__proto__":{"polluted":1}}');
    expect('polluted' in {}).toBe(false);
  });

  it('that is no UTF-8 is refused', async () => {
    const { call, url } = await startAdmin();
    await call('GET', '/admin/v1/models');
    const response = await fetch(`${url}/admin/v1/models`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: Buffer.from('{"display_name":"\xff"}', 'latin1'),
    });
    expect(response.status).toBe(400);
  });

  it('of another type is refused', async () => {
    const { call } = await startAdmin();
    const headers = { 'content-type': 'text/plain' };
    expect((await call('POST', '/admin/v1/models', primary, { headers })).status).toBe(400);
  });

  it('of a megabyte is taken', async () => {
    const { call } = await startAdmin();
    const empty = JSON.stringify({ ...primary, provider: '' }).length;
    const large = { ...primary, provider: 'x'.repeat(1024 * 1024 - empty) };
    expect((await call('POST', '/admin/v1/models', large)).status).toBe(200);
  });

  it('beyond a megabyte is refused before it has come', async () => {
    const { port, registry } = await startAdmin();
    const client = await connectRaw(port);
    client.write(
      [
        'POST /admin/v1/models HTTP/1.1',
        'Host: admin.test',
        `Authorization: Bearer ${ADMIN_KEY}`,
        'Content-Type: application/json',
        `Content-Length: ${1024 * 1024 + 1}`,
        '',
        '{',
      ].join('\r\n'),
    );
    const answer = readAnswer(await client.closed());
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toEqual({ error_msg: expect.stringContaining('1048576 bytes') });
    expect(registry.saved).toEqual([]);
  });

  it('that a parser in front has read is taken from there', async () => {
    const { call } = await startAdmin({}, { before: express.json() });
    expect((await call('POST', '/admin/v1/models', primary)).body).toMatchObject({ value: primary });
  });

  it('with a thousand faults is answered with the first twenty', async () => {
    const { call } = await startAdmin();
    const fields = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1]));
    const answer = await call('POST', '/admin/v1/models', { ...primary, ...fields });
    expect(answer.status).toBe(400);
    expect(field(answer, 'error_msg')).toMatch(/field19: is not a field; and 980 more$/);
  });
});

describe('a path', () => {
  it('that cannot be decoded is answered 400', async () => {
    const { call } = await startAdmin();
    expect(await call('GET', '/admin/v1/models/%ff')).toMatchObject({
      status: 400,
      body: { error_msg: 'The path cannot be decoded.' },
    });
  });

  it.each(['__proto__', 'constructor', 'toString'])('with the id %s is answered 404', async (id) => {
    const { call } = await startAdmin();
    expect((await call('GET', `/admin/v1/models/${id}`)).status).toBe(404);
    expect((await call('PUT', `/admin/v1/models/${id}`, primary)).status).toBe(404);
  });

  it.each(['/admin/v1/other', '/admin', '/', '/ADMIN/V1/MODELS', '/admin/v1/models/m/rotate'])(
    'that is not of the admin API goes on to what is mounted behind it: %s',
    async (path) => {
      const { url } = await startAdmin();
      const response = await fetch(`${url}${path}`);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toContain('text/html');
    },
  );
});

describe('an error', () => {
  it('of the store is answered 500 without a word about it, and nothing changes', async () => {
    const { call, registry, logs } = await startAdmin();
    registry.save = () => Promise.reject(new TypeError('cannot write sk-of-openai to /srv/models.json'));
    const answer = await call('POST', '/admin/v1/provider_keys', openaiKey);
    expect(answer.status).toBe(500);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      error_msg: 'The admin API failed; the configuration in force has not changed.',
    });
    expect(logs).toEqual([expect.objectContaining({ level: 'error', message: 'the admin API failed' })]);
    expect(logs[0]?.data).toMatchObject({ error: 'TypeError' });
    expect(JSON.stringify(logs)).not.toContain('sk-of-openai');
    expect((await call('GET', '/admin/v1/provider_keys')).body).toEqual([]);
  });

  it('of a file system is logged with its code', async () => {
    const { call, registry, logs } = await startAdmin();
    registry.save = () => Promise.reject(Object.assign(new Error('disk'), { code: 'ENOSPC' }));
    await call('POST', '/admin/v1/models', primary);
    expect(logs[0]?.data).toMatchObject({ code: 'ENOSPC' });
  });
});
