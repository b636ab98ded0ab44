import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { caller, field, primary, startAdmin } from './admin-app.ts';

const key = { id: 'k-1', ...caller, expires_at: '2030-01-01T00:00:00Z' };

describe.each(['apikeys', 'api_keys'])('POST /admin/v1/%s/:id/rotate', (path) => {
  const place = `/admin/v1/${path}/k-1/rotate`;

  it('draws a new key, tells it once, and keeps only its hash', async () => {
    const { call, registry } = await startAdmin({ api_keys: [key] });
    const answer = await call('POST', place);
    const plaintext = String(field(answer, 'plaintext'));
    const hash = createHash('sha256').update(plaintext).digest('hex');
    expect(answer.status).toBe(200);
    expect(plaintext).toMatch(/^sk-[\w-]{43}$/);
    expect(answer.body).toEqual({
      entry: {
        id: 'k-1',
        value: { key_hash: hash, allowed_models: ['chat-prod'], expires_at: '2030-01-01T00:00:00Z' },
        revision: 2,
      },
      plaintext,
    });
    expect(registry.current().api_keys).toEqual([{ ...key, key_hash: hash }]);
    expect(JSON.stringify(registry.saved)).not.toContain(plaintext);
    expect(JSON.stringify((await call('GET', '/admin/v1/apikeys')).body)).not.toContain(plaintext);
  });

  it('draws another key each time', async () => {
    const { call } = await startAdmin({ api_keys: [key] });
    const first = field(await call('POST', place), 'plaintext');
    expect(field(await call('POST', place), 'plaintext')).not.toBe(first);
  });

  it('draws one for a caller of a newer version, whose fields are not known here', async () => {
    const { call, registry } = await startAdmin({ api_keys: [{ ...key, some_newer_field: 1 }] });
    expect((await call('POST', place)).status).toBe(200);
    expect(registry.current().api_keys).toMatchObject([{ some_newer_field: 1 }]);
    expect(registry.current().api_keys?.[0]?.key_hash).not.toBe(key.key_hash);
  });

  it('answers 404 where there is no such key', async () => {
    const { call } = await startAdmin();
    expect((await call('POST', place)).status).toBe(404);
  });

  it('leaves the old key where the new one cannot be saved', async () => {
    const { call, registry } = await startAdmin({ api_keys: [key] });
    registry.save = () => Promise.reject(new Error('no space'));
    const answer = await call('POST', place);
    expect(answer.status).toBe(500);
    expect(answer.body).not.toHaveProperty('plaintext');
    expect(registry.current().api_keys).toEqual([key]);
  });

  it.each(['GET', 'PUT', 'DELETE'])('cannot be asked for by %s', async (method) => {
    const { call, registry } = await startAdmin({ api_keys: [key] });
    const answer = await call(method, place);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
    expect(registry.saved).toEqual([]);
  });
});

describe('the list of caller keys', () => {
  it('stays absent while something else is written', async () => {
    const { call, registry } = await startAdmin();
    await call('POST', '/admin/v1/models', primary);
    expect(registry.saved[0]?.api_keys).toBeUndefined();
  });

  it('begins with the first key', async () => {
    const { call, registry } = await startAdmin();
    await call('POST', '/admin/v1/apikeys', caller);
    expect(registry.current().api_keys).toMatchObject([caller]);
  });

  it('stays, empty, when the last key is deleted: nobody may call then', async () => {
    const { call, registry } = await startAdmin({ api_keys: [key] });
    await call('DELETE', '/admin/v1/apikeys/k-1');
    expect(registry.current().api_keys).toEqual([]);
  });
});
