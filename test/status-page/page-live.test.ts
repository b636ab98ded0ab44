import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import { aiProxyMulti, statusPage } from 'ai-proxy-multi';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { instance, post, serve } from '../support/app.ts';
import { describeWithChromium, openOwnTab, openTab, startChromium } from '../support/chromium.ts';
import { startHolding } from '../support/holding-upstream.ts';
import { ownPort } from '../support/own-port.ts';
import { answerJson, echoModel, startUpstream } from '../support/upstream.ts';
import { becomesLive, cellsOf, numbersIn, openPage, rowOf } from './open-page.ts';
import { gatewayStatus, instanceStatus, makeSource } from './sources.ts';

const TWO_SECONDS = { timeout: 2000 };

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A server that can be stopped and started again on its port. */
async function listen(listener: http.RequestListener, given?: number): Promise<http.Server> {
  const port = given ?? (await ownPort());
  const server = http.createServer(listener).listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

function portOf(server: http.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

describeWithChromium('the page, as things change', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it('shows an instance turning red, and back, within two seconds of the fact', async () => {
    const source = makeSource(gatewayStatus([instanceStatus('openai'), instanceStatus('deepseek')]));
    const { page, complaints, requests, url } = await openPage(browser, [source]);
    const word = rowOf(page, 'openai').locator('.health .word');
    const redness = () =>
      word.evaluate((node) => {
        const [red = 0, green = 0] = getComputedStyle(node).color.match(/\d+/g)?.map(Number) ?? [];
        return red - green;
      });
    expect(await word.textContent()).toBe('Healthy');
    expect(await redness()).toBeLessThan(0);

    const health = { state: 'unhealthy', since: new Date().toISOString(), reason: 'timeout' } as const;
    source.current = gatewayStatus([instanceStatus('openai', { health }), instanceStatus('deepseek')]);
    await word.getByText('Unhealthy').waitFor(TWO_SECONDS);
    expect(await redness()).toBeGreaterThan(50);
    expect(await page.locator('#announcements').textContent()).toBe('openai: unhealthy');
    expect(await rowOf(page, 'deepseek').locator('.health .word').textContent()).toBe('Healthy');

    source.current = gatewayStatus([instanceStatus('openai'), instanceStatus('deepseek')]);
    await word.getByText('Healthy', { exact: true }).waitFor(TWO_SECONDS);
    expect(await redness()).toBeLessThan(0);
    expect(await page.locator('#alarm').isVisible()).toBe(false);

    expect(complaints).toEqual([]);
    expect(requests).toEqual([`${url}/ops/status/`, `${url}/ops/status/events`]);
  });

  it('follows a real gateway', async () => {
    const upstream = await startHolding();
    const gateway = aiProxyMulti({ instances: [instance('one', upstream.url)] });
    onTestFinished(() => gateway.close());
    const { url } = await serve(gateway);
    const { page, complaints } = await openPage(browser, [gateway]);
    const column = async (name: string) => numbersIn((await cellsOf(page, 'one'))[name]);
    const answers = [post(url), post(url)];
    await upstream.holding(2);
    await expect.poll(() => column('In flight'), TWO_SECONDS).toEqual([2]);
    upstream.release();
    for (const answer of answers) await (await answer).text();
    await expect.poll(() => column('In flight'), TWO_SECONDS).toEqual([0]);
    expect((await column('Attempts'))[0]).toBe(gateway.status().instances[0]?.attempts);
    expect(complaints).toEqual([]);
  });

  it('follows the health checks of a real gateway within two seconds of what they find', async () => {
    let status = 200;
    const upstream = await startUpstream((_call, res) => answerJson(res, status, {}));
    const changes = new EventEmitter();
    const active = {
      type: 'http',
      http_path: '/health',
      healthy: { interval: 1, successes: 1 },
      unhealthy: { interval: 1, http_failures: 1 },
    } as const;
    const gateway = aiProxyMulti(
      { instances: [instance('one', upstream.url, { checks: { active } })] },
      { logger: silent, onHealth: ({ state }) => changes.emit(state) },
    );
    onTestFinished(() => gateway.close());
    const { page } = await openPage(browser, [gateway]);
    const health = rowOf(page, 'one').locator('.health');
    for (const [answer, state, words] of [
      [503, 'unhealthy', /^Unhealthy for \d+ s, status 503$/],
      [200, 'healthy', /^Healthy for \d+ s/],
    ] as const) {
      const changed = once(changes, state);
      status = answer;
      await changed;
      await health.filter({ hasText: words }).waitFor(TWO_SECONDS);
    }
  });

  it('tells of a request that has moved on in a real gateway', async () => {
    const bad = await startUpstream((_call, res) => answerJson(res, 429, {}));
    const good = await startUpstream(echoModel());
    const gateway = aiProxyMulti(
      {
        fallback_strategy: 'http_429',
        instances: [instance('openai', bad.url, { priority: 1 }), instance('deepseek', good.url)],
      },
      { logger: silent },
    );
    onTestFinished(() => gateway.close());
    const { url } = await serve(gateway);
    const { page } = await openPage(browser, [gateway]);
    await (await post(url)).text();
    await page.getByText(/^openai 429 → deepseek 200 in \d+ ms$/).waitFor(TWO_SECONDS);
    expect(numbersIn((await cellsOf(page, 'deepseek')).Fallbacks)).toEqual([0, 1]);
    expect((await cellsOf(page, 'openai')).Errors).toContain('1 × 4xx');
  });

  it('works where it was asked for without a slash at the end', async () => {
    const source = makeSource(gatewayStatus([instanceStatus('openai')]));
    const { page, requests, url } = await openPage(browser, [source], { path: '/ops/status?from=bookmark' });
    expect(requests).toEqual([`${url}/ops/status?from=bookmark`, `${url}/ops/status/events`]);
    const [json] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('.json')),
      page.getByRole('link', { name: 'status.json' }).click(),
    ]);
    expect([json.url(), json.status()]).toEqual([`${url}/ops/status/status.json`, 200]);
  });

  it('shows other instances and other gateways when there are other ones', async () => {
    const one = gatewayStatus([instanceStatus('openai')]);
    const source: { routes: Record<string, typeof one>; status(): Record<string, typeof one> } = {
      routes: { chat: one },
      status() {
        return this.routes;
      },
    };
    const { page } = await openPage(browser, [source]);
    expect(await page.locator('h2').allInnerTexts()).toEqual(['route chat']);
    source.routes = { chat: gatewayStatus([instanceStatus('azure'), instanceStatus('openai')]) };
    const names = page.locator('tr.instance .name');
    await expect.poll(() => names.allInnerTexts(), TWO_SECONDS).toEqual(['azure', 'openai']);
    source.routes = { more: one, chat: one };
    await expect
      .poll(() => page.locator('h2').allInnerTexts(), TWO_SECONDS)
      .toEqual(['route more', 'route chat']);
  });

  it('says that it is disconnected, and goes on by itself when the server is back', async () => {
    const source = makeSource(gatewayStatus([instanceStatus('openai')]));
    const first = await listen(statusPage(source));
    const port = portOf(first);
    const { page } = await openTab(browser);
    await page.goto(`http://127.0.0.1:${port}/`);
    await becomesLive(page);
    first.close();
    first.closeAllConnections();
    await page.getByText(/^Disconnected, trying again\. Figures of \d\d:\d\d:\d\d\.$/).waitFor();
    expect(await page.title()).toBe('Disconnected · Gateway status');
    expect(await rowOf(page, 'openai').isVisible()).toBe(true);

    source.current = gatewayStatus([instanceStatus('openai', { attempts: 77 })]);
    await listen(statusPage(source), port);
    await becomesLive(page);
    expect(numbersIn((await cellsOf(page, 'openai')).Attempts)).toEqual([77]);
    expect(await page.title()).toBe('Gateway status');
  });

  it('goes on after an answer that is no stream, as a proxy gives while the server restarts', async () => {
    const router = statusPage(makeSource(gatewayStatus([instanceStatus('openai')])));
    let refusals = 1;
    const server = await listen((req, res) => {
      if (req.url !== '/events' || refusals === 0) return router(req, res);
      refusals--;
      res.writeHead(502).end();
    });
    const { page } = await openTab(browser);
    await page.goto(`http://127.0.0.1:${portOf(server)}/`);
    await page.getByText('Disconnected, trying again.').waitFor();
    await becomesLive(page);
    expect(refusals).toBe(0);
  });

  it('notices a network that has gone without a word, and asks again', async () => {
    const router = statusPage(makeSource(gatewayStatus([instanceStatus('openai')])));
    const server = await listen(router);
    const { page, requests } = await openOwnTab(browser);
    await page.clock.install();
    await page.goto(`http://127.0.0.1:${portOf(server)}/`);
    await becomesLive(page);
    // A minute in which nothing comes: there is none that short in which the server would send a heartbeat.
    await page.clock.runFor(46_000);
    await becomesLive(page);
    expect(requests.filter((url) => url.endsWith('/events'))).toHaveLength(2);
  });

  it('says so when the gateway ends the live updates', async () => {
    const router = statusPage(makeSource(gatewayStatus([instanceStatus('openai')])));
    const server = await listen(router);
    const { page } = await openTab(browser);
    await page.goto(`http://127.0.0.1:${portOf(server)}/`);
    await becomesLive(page);
    router.close();
    await page.getByText(/^Disconnected, trying again/).waitFor();
  });
});
