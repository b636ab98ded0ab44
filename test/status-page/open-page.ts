import { type StatusSource, statusPage } from 'ai-proxy-multi';
import express from 'express';
import type { Browser, Locator, Page } from 'playwright-core';
import { serve } from '../support/app.ts';
import { openTab, type Tab, type TabOptions } from '../support/chromium.ts';

export interface OpenPage extends Tab {
  /** Of the server, without a slash at the end. */
  readonly url: string;
}

export interface PageOptions extends TabOptions {
  /** What is asked for. Default: the mount point with a slash. */
  readonly path?: string;
  /** Titles of the sources. */
  readonly names?: readonly string[];
}

/** Until the first figures are there. */
export async function becomesLive(page: Page): Promise<void> {
  await page.locator('#connection', { hasText: 'Live' }).waitFor();
}

/** Serves a status page under `/ops/status` in an Express app, and opens it. */
export async function openPage(
  browser: Browser,
  sources: readonly StatusSource[],
  { path = '/ops/status/', names = [], ...options }: PageOptions = {},
): Promise<OpenPage> {
  const router = statusPage(...sources, { names });
  const app = express().use('/ops/status', router);
  const { url } = await serve(app);
  const tab = await openTab(browser, options);
  await tab.page.goto(url + path);
  await becomesLive(tab.page);
  return { ...tab, url };
}

/** The row of an instance, by the whole of its name. */
export function rowOf(page: Page, name: string): Locator {
  return page.locator(`tr.instance:has(.name:text-is(${JSON.stringify(name)}))`);
}

/** The text of each of an instance's cells, by its column. */
export async function cellsOf(page: Page, name: string): Promise<Record<string, string>> {
  const heads = await page.locator('thead').first().locator('th').allTextContents();
  const texts = await rowOf(page, name).locator('th, td').allInnerTexts();
  return Object.fromEntries(
    heads.map((head, index) => [head, (texts[index] ?? '').replaceAll('\u00a0', ' ')]),
  );
}

/** The numbers in a text that are figures: neither of "p50" nor of "2xx". */
export function numbersIn(text = ''): readonly number[] {
  const figures = text.replaceAll(/p\d\d|\dxx|,/g, '').match(/\d+(\.\d+)?/g) ?? [];
  return figures.map(Number);
}
