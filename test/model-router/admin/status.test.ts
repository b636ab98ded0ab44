import { describe, expect, it } from 'vitest';
import { primary, startAdmin } from './admin-app.ts';

const PATH = '/admin/v1/models/status';

describe('GET /admin/v1/models/status', () => {
  it('tells the state of every model, times in seconds and nanoseconds', async () => {
    const { call, registry } = await startAdmin({ models: [{ id: 'status', ...primary }] });
    registry.rows = [
      { id: 'm-1', display_name: 'chat-prod', kind: 'routing', status: 'not_applicable' },
      {
        id: 'm-2',
        display_name: 'gpt-4o-primary',
        kind: 'direct',
        status: 'cooldown',
        cooldown_until: '2030-01-01T00:00:00.250Z',
        last_checked_at: '2026-06-01T12:00:00Z',
        last_check_status: 503,
        status_reason: 'upstream_server_error',
      },
    ];
    const answer = await call('GET', PATH);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual([
      { id: 'm-1', display_name: 'chat-prod', kind: 'routing', status: 'not_applicable' },
      {
        id: 'm-2',
        display_name: 'gpt-4o-primary',
        kind: 'direct',
        status: 'cooldown',
        cooldown_until: { secs_since_epoch: 1_893_456_000, nanos_since_epoch: 250_000_000 },
        last_checked_at: { secs_since_epoch: 1_780_315_200, nanos_since_epoch: 0 },
        last_check_status: 503,
        status_reason: 'upstream_server_error',
      },
    ]);
  });

  it('cannot be written', async () => {
    const { call } = await startAdmin();
    const answer = await call('PUT', PATH, primary);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  it('answers 500 where the state cannot be read', async () => {
    const { call, registry } = await startAdmin();
    registry.status = () => {
      throw new Error('of the registry');
    };
    const answer = await call('GET', PATH);
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('of the registry');
  });
});
