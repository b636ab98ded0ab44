import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithChromium, startChromium } from '../support/chromium.ts';
import { cellsOf, numbersIn, openPage, rowOf } from './open-page.ts';
import { busyInstance, gatewayStatus, instanceStatus, makeSource } from './sources.ts';

const EVIL = '<img src=x onerror="document.title = 1"><script>document.title = 2</script>&amp;"\'';

describeWithChromium('what the page shows', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it('is what status() says, number for number', async () => {
    const status = gatewayStatus([busyInstance('openai'), instanceStatus('deepseek', { tier: 1 })], {
      in_flight: 17,
      requests: { complete: 123_456, cut: 3, client_gone: 121, timeout: 2, rejected: 18 },
    });
    const { page, complaints } = await openPage(browser, [makeSource(status)]);
    const cells = await cellsOf(page, 'openai');
    const numbers = Object.fromEntries(Object.entries(cells).map(([head, text]) => [head, numbersIn(text)]));
    const days = Math.floor((Date.parse('2099-01-01T00:00:00.000Z') - Date.now()) / 86_400_000);
    expect(numbers).toMatchObject({
      'Share of its tier': [8, 80, 78.3],
      'In flight': [3],
      Attempts: [12_345, 12_000, 1, 5],
      Fallbacks: [41, 42],
      Tokens: [1_200_003, 1_000_001, 200_002],
      'Quota left': [18_200, 50_000, days],
      'Latency, ms': [412, 1204, 2410],
      'First token, ms': [181, 352, 603],
      'Last 15 minutes, peak': [871, 7310],
    });
    expect(numbers.Errors?.slice(0, 9)).toEqual([353, 6, 5, 21, 202, 31, 32, 33, 34]);
    const figures = await page.locator('.figure').allInnerTexts();
    expect(figures.map((text) => text.replace('\n', ' '))).toEqual([
      'In flight 17',
      'Requests 123,600',
      'Complete 123,456',
      'Cut 3',
      'Client gone 121',
      'Timed out 2',
      'Rejected 18',
    ]);
    expect(complaints).toEqual([]);
  });

  it('says in words what is wrong with an instance, since when, and what it answered last', async () => {
    const hourAgo = new Date(Date.now() - 3_700_000).toISOString();
    const instance = busyInstance('openai', {
      health: {
        state: 'unhealthy',
        since: hourAgo,
        reason: 'status 503',
        addresses: [
          { address: '10.0.0.1', state: 'unhealthy', reason: 'timeout' },
          { address: '10.0.0.2', state: 'healthy' },
        ],
      },
      last_error: { at: hourAgo, error: 'upstream_timeout' },
    });
    const { page } = await openPage(browser, [makeSource(gatewayStatus([instance]))]);
    const cells = await cellsOf(page, 'openai');
    expect(cells.Instance?.split('\n')).toEqual([
      'openai',
      'openai · gpt-4o',
      'Unhealthy for 1 h, status 503',
      '1 of 2 addresses healthy',
      '10.0.0.1 unhealthy, timeout',
    ]);
    expect(cells.Errors).toContain('31 × refused, 32 × reset, 33 × timed out, 34 × other');
    expect(cells.Errors).toContain('last 1 h ago: upstream_timeout');
    expect(await page.locator('#alarm').textContent()).toBe('Unhealthy: openai');
    expect(await page.title()).toBe('1 unhealthy · Gateway status');
  });

  it('says of an instance that cools down until when, and why', async () => {
    const cooldown = { until: '2099-01-01T00:00:00.000Z', reason: 'upstream_rate_limited' };
    const instance = instanceStatus('openai', { health: { state: 'unchecked' }, cooldown });
    const { page } = await openPage(browser, [makeSource(gatewayStatus([instance]))]);
    const lines = (await cellsOf(page, 'openai')).Instance?.split('\n') ?? [];
    expect(lines.slice(2)).toEqual([
      'Not checked',
      expect.stringMatching(/^Cooling down until .*, upstream rate limited$/),
    ]);
  });

  it('has nothing to say about an instance that nobody has asked or checked', async () => {
    const idle = instanceStatus('idle', { health: { state: 'unchecked' } });
    const { page } = await openPage(browser, [makeSource(gatewayStatus([idle]))]);
    const cells = await cellsOf(page, 'idle');
    expect(cells.Instance).toBe('idle\nopenai\nNot checked');
    expect(cells['Share of its tier']).toContain('none yet');
    expect(cells.Errors).toBe('0');
    expect(cells['Latency, ms']?.match(/–/g)).toHaveLength(3);
    expect(await page.locator('#alarm').isVisible()).toBe(false);
    expect(await page.getByText('No request has moved on yet.').isVisible()).toBe(true);
    expect(await page.getByText('Quota left').first().isVisible()).toBe(false);
  });

  it('tells of requests that moved on', async () => {
    const recent_fallbacks = [
      {
        at: '2026-03-01T10:00:01.000Z',
        attempts: [
          { instance: 'openai', status: 429 },
          { instance: 'deepseek', status: 200 },
        ],
        duration_ms: 412,
      },
      {
        at: '2026-03-01T10:00:00.000Z',
        attempts: [
          { instance: 'openai', error: 'upstream_timeout' },
          { instance: 'azure', status: 503 },
          { instance: 'deepseek' },
        ],
        duration_ms: 31_204.4,
      },
    ];
    const source = makeSource(gatewayStatus([instanceStatus('openai')], { recent_fallbacks }));
    const { page } = await openPage(browser, [source]);
    expect(await page.locator('.moves .path').allInnerTexts()).toEqual([
      'openai 429 → deepseek 200 in 412 ms',
      'openai upstream_timeout → azure 503 → deepseek no answer in 31,204 ms',
    ]);
  });

  it('draws the last minutes, with gaps where nothing was answered, and says them', async () => {
    const source = makeSource(gatewayStatus([busyInstance('openai')]));
    const { page } = await openPage(browser, [source]);
    const graphs = rowOf(page, 'openai').getByRole('img');
    expect(await graphs.first().getAttribute('aria-label')).toBe(
      'Latency by minute: last 871 ms, peak 871 ms',
    );
    expect(await graphs.last().getAttribute('aria-label')).toBe(
      'Tokens by minute: last 7,310/min, peak 7,310/min',
    );
    expect(await rowOf(page, 'openai').getByTitle('Latency by minute: last 871 ms').count()).toBe(1);
    expect(await rowOf(page, 'openai').getByTitle('Tokens by minute: last 7,310/min').count()).toBe(1);
    const pathOf = (index: number) => graphs.nth(index).locator('path').getAttribute('d');
    // Two dots with a gap between them, and two columns.
    expect((await pathOf(0))?.match(/[ML]/g)).toEqual(['M', 'M']);
    expect((await pathOf(1))?.match(/z/g)).toHaveLength(2);
  });

  it('sorts instances into tiers, the one tried first at the top', async () => {
    const source = makeSource(
      gatewayStatus([
        instanceStatus('last', { tier: 1, priority: 0, health: { state: 'unhealthy' } }),
        instanceStatus('first', { tier: 0, priority: 9 }),
        instanceStatus('second', { tier: 0, priority: 9, health: { state: 'unchecked' } }),
      ]),
    );
    const { page } = await openPage(browser, [source]);
    expect(await page.locator('tr.tier').allInnerTexts()).toEqual([
      'Tier 0 priority 9 · tried first · 1 healthy, 1 not checked',
      'Tier 1 priority 0 · tried when those above are out · 0 healthy, 1 unhealthy',
    ]);
    expect(await page.locator('tr.instance .name').allInnerTexts()).toEqual(['first', 'second', 'last']);
  });

  it('is a table with heads for who cannot see it, also where it is laid out as cards', async () => {
    for (const width of [1280, 375]) {
      const { page } = await openPage(browser, [makeSource(gatewayStatus([busyInstance('openai')]))], {
        names: ['chat'],
        viewport: { width, height: 800 },
      });
      await page.getByRole('banner').getByRole('heading', { name: 'Gateway status', level: 1 }).waitFor();
      const section = page.getByRole('main').getByRole('region', { name: 'chat' });
      await section.getByRole('heading', { name: 'chat', level: 2 }).waitFor();
      const table = section.getByRole('table', { name: 'Instances of chat' });
      expect(await table.getByRole('columnheader').count()).toBe(11);
      await table
        .getByRole('row')
        .getByRole('rowheader', { name: /^openai/ })
        .waitFor();
      await page.getByRole('contentinfo').getByRole('link', { name: 'status.json' }).waitFor();
    }
  });

  it('takes names for text, whatever they are', async () => {
    const instance = busyInstance(EVIL, {
      provider: EVIL,
      model: EVIL,
      health: {
        state: 'unhealthy',
        reason: EVIL,
        addresses: [
          { address: EVIL, state: 'unhealthy', reason: EVIL },
          { address: EVIL, state: 'healthy' },
        ],
      },
      last_error: { at: '2026-03-01T10:00:00.000Z', error: EVIL },
    });
    const attempts = [
      { instance: EVIL, error: EVIL },
      { instance: EVIL, status: 200 },
    ];
    const recent_fallbacks = [{ at: EVIL, attempts, duration_ms: 1 }];
    const source = makeSource(gatewayStatus([instance], { recent_fallbacks }));
    const { page, complaints, requests } = await openPage(browser, [source, source], { names: [EVIL, EVIL] });
    await page.getByRole('heading', { name: EVIL, exact: true }).first().waitFor();
    expect(await page.locator('tr.instance .name').first().textContent()).toBe(EVIL);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(1);
    expect(await page.title()).toBe('2 unhealthy · Gateway status');
    expect(requests).toHaveLength(2);
    expect(complaints).toEqual([]);
  });

  it('could not be made of text by its own script: the policy forbids it', async () => {
    const { page, complaints } = await openPage(browser, [makeSource(gatewayStatus([instanceStatus('a')]))]);
    await page.evaluate(() => {
      const image = document.createElement('img');
      image.src = 'http://127.0.0.1:9/elsewhere.png';
      document.body.append(image);
      try {
        document.body.innerHTML = '<p>markup</p>';
      } catch {
        // Refused, as it should be; the violation has been reported as well.
      }
    });
    await expect
      .poll(() => complaints.filter((line) => line.startsWith('violation')).toSorted())
      .toEqual(['violation: img-src', 'violation: require-trusted-types-for']);
  });
});
