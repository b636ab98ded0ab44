import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithChromium, startChromium } from '../support/chromium.ts';
import { openPage } from './open-page.ts';
import { busyInstance, gatewayStatus, instanceStatus, makeSource } from './sources.ts';

/** As long as a name may be, without a place to break it. */
const longName = (index: number) =>
  `${'openai-compatible_'.repeat(6)}`.slice(0, 96) + String(index).padStart(4, '0');

function manyInstances(count: number) {
  return Array.from({ length: count }, (_, index) =>
    busyInstance(longName(index), {
      model: 'mixtral_8x22b_instruct_v0_3_quantized_awq_int4_groupsize_128_'.repeat(2),
      tier: index % 3,
      health: { state: index % 2 === 0 ? 'unhealthy' : 'healthy', reason: 'status_503_'.repeat(12) },
      last_error: { at: '2026-03-01T10:00:00.000Z', error: 'upstream_invalid_answer' },
      attempts: 123_456_789,
      tokens: { prompt: 12_345_678_901, completion: 12_345_678_901, total: 24_691_357_802 },
    }),
  );
}

function source(count: number) {
  return makeSource(
    gatewayStatus(count === 1 ? [instanceStatus('openai')] : manyInstances(count), {
      requests: { complete: 1_234_567_890, cut: 0, client_gone: 3, timeout: 0, rejected: 0 },
      recent_fallbacks: Array.from({ length: count === 1 ? 0 : 20 }, () => ({
        at: '2026-03-01T10:00:00.000Z',
        attempts: [
          { instance: longName(1), error: 'upstream_invalid_answer' },
          { instance: longName(2), status: 200 },
        ],
        duration_ms: 123_456,
      })),
    }),
  );
}

/** By how much the page is wider than the window, and what is cut off in it, if anything. */
function overflow(page: Page): Promise<unknown> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const sheets = [...document.querySelectorAll('.sheet')];
    return [scrollWidth - clientWidth, ...sheets.map((sheet) => sheet.scrollWidth - sheet.clientWidth)];
  });
}

/** Texts whose contrast to what is behind them is below WCAG's AA, with the contrast. */
function faintTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const channels = (colour: string) => colour.match(/[\d.]+/g)?.map(Number) ?? [];
    const luminance = (colour: string) => {
      const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const groundOf = (node: Element): string => {
      const { backgroundColor } = getComputedStyle(node);
      if (channels(backgroundColor)[3] !== 0 || node.parentElement === null) return backgroundColor;
      return groundOf(node.parentElement);
    };
    const contrastOf = (node: Element) => {
      const lights = [luminance(getComputedStyle(node).color), luminance(groundOf(node))];
      return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    };
    return [...document.querySelectorAll('body *')]
      .filter((node) =>
        [...node.childNodes].some((child) => child instanceof Text && child.data.trim() !== ''),
      )
      .filter((node) => node.tagName !== 'SCRIPT' && node.tagName !== 'NOSCRIPT' && contrastOf(node) < 4.5)
      .map((node) => `${node.className} ${contrastOf(node).toFixed(2)}: ${node.textContent?.slice(0, 40)}`);
  });
}

describeWithChromium('the layout', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it.each([1, 30])('fits windows of any width with %i instances', async (count) => {
    const { page, complaints } = await openPage(browser, [source(count)]);
    for (const width of [320, 375, 600, 768, 1024, 1280, 1359, 1360, 1920]) {
      await page.setViewportSize({ width, height: 812 });
      expect([width, ...[await overflow(page)].flat()]).toEqual([width, 0, 0]);
    }
    expect(complaints).toEqual([]);
  });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it('is readable: every text stands out from its ground', async () => {
      const { page } = await openPage(browser, [source(3)], { colorScheme });
      expect(await faintTexts(page)).toEqual([]);
    });

    it('follows the wish for it', async () => {
      const { page } = await openPage(browser, [source(1)], { colorScheme });
      const [red = 0] = await page.evaluate(
        () => getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.map(Number) ?? [],
      );
      expect(red > 128).toBe(colorScheme === 'light');
    });
  });

  it('names every figure on a phone, where there are no columns', async () => {
    const { page } = await openPage(browser, [source(2)], { viewport: { width: 375, height: 812 } });
    const labels = await page
      .locator('tr.instance')
      .first()
      .locator('td')
      .evaluateAll((cells) => cells.map((cell) => getComputedStyle(cell, '::before').content));
    const heads = await page.locator('thead th').allTextContents();
    expect(labels).toEqual(heads.slice(1).map((head) => `"${head}"`));
  });
});
