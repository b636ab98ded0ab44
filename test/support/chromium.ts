import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { describe, onTestFinished } from 'vitest';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Missing or not to be run: the next place may have one.
    return false;
  }
}

/** Whoever names one in CHROMIUM_PATH wants that one or none. */
function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  const inPath = NAMES.flatMap((name) =>
    PATH.split(path.delimiter).map((directory) => path.join(directory, name)),
  );
  const places = CHROMIUM_PATH ? [CHROMIUM_PATH] : ['/usr/bin/chromium', ...inPath];
  return places.find(isExecutable);
}

const executablePath = findChromium();
if (executablePath === undefined) {
  const where = process.env.CHROMIUM_PATH ?? `the PATH (${NAMES.join(', ')}); CHROMIUM_PATH would name it`;
  const message = `there is no Chromium at ${where}`;
  if (process.env.CI === 'true') throw new Error(`${message}: the status page cannot be tested`);
  console.warn(`Skipped, since ${message}`);
}

/** `describe`, skipped where there is no Chromium. With CI=true in the environment, its absence is a failure. */
export const describeWithChromium: ReturnType<typeof describe.skipIf> = describe.skipIf(
  executablePath === undefined,
);

/** It asks nobody on the network for anything of its own. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** To be closed by the caller. */
export function startChromium(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('There is no Chromium.');
  return chromium.launch({ executablePath, args: QUIET });
}

/** A tab, and all that went wrong in it. */
export interface Tab {
  readonly page: Page;
  /** Errors and warnings in the console, exceptions, violations of the page's policy. */
  readonly complaints: readonly string[];
  /** What the page asked for, by full URLs. */
  readonly requests: readonly string[];
}

interface Notes {
  complaints: string[];
  requests: string[];
}

async function openWatchedPage(browser: Browser, notes: Notes): Promise<Page> {
  const page = await browser.newPage();
  page.on('console', (message) => {
    if (message.type() !== 'log') notes.complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => notes.complaints.push(`exception: ${error.message}`));
  page.on('request', (request) => notes.requests.push(request.url()));
  await page.exposeFunction('reportViolation', (directive: string) => {
    notes.complaints.push(`violation: ${directive}`);
  });
  await page.addInitScript(`
    document.addEventListener('securitypolicyviolation', (event) => reportViolation(event.violatedDirective));
  `);
  return page;
}

const shared = new WeakMap<Browser, Promise<{ page: Page; notes: Notes }>>();

async function openShared(browser: Browser): Promise<{ page: Page; notes: Notes }> {
  const notes = { complaints: [], requests: [] };
  return { page: await openWatchedPage(browser, notes), notes };
}

export interface TabOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
}

/** A tab with nothing in it, left when the test ends. Tests take turns in one, since each costs Chromium a process. */
export async function openTab(
  browser: Browser,
  { viewport = { width: 1280, height: 720 }, colorScheme = 'light' }: TabOptions = {},
): Promise<Tab> {
  const opening = shared.get(browser) ?? openShared(browser);
  shared.set(browser, opening);
  const { page, notes } = await opening;
  notes.complaints = [];
  notes.requests = [];
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
  onTestFinished(async () => {
    await page.goto('about:blank');
  });
  return { page, ...notes };
}

/** A tab of the test's own, for what cannot be undone in one. */
export async function openOwnTab(browser: Browser): Promise<Tab> {
  const notes = { complaints: [], requests: [] };
  const page = await openWatchedPage(browser, notes);
  onTestFinished(() => page.close());
  return { page, ...notes };
}
