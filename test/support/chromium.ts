import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
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

/** A tab with nothing in it, closed when the test ends. */
export async function openTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'log') complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('request', (request) => requests.push(request.url()));
  await page.exposeFunction('reportViolation', (directive: string) => {
    complaints.push(`violation: ${directive}`);
  });
  await page.addInitScript(`
    document.addEventListener('securitypolicyviolation', (event) => reportViolation(event.violatedDirective));
  `);
  return { page, complaints, requests };
}
