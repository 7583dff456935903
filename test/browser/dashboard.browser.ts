import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTokenBrokerClient } from '../../client/index.ts';
import { demoCommunitySecret } from '../../local/demo/community.ts';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster.ts';
import { type DashboardUnderTest, startDashboardUnderTest } from '../client/dashboard-under-test.ts';
import { type LocalBroker, startLocalBroker } from '../client/local-broker.ts';
import { launchChromium, openPage, type Watched } from './chromium.ts';
import { LOWEST_CONTRAST, picture, press, slotOn } from './slot-on-page.ts';

let broker: LocalBroker;
let dashboard: DashboardUnderTest;
let page: Page;
let watched: Watched;

const browser = await launchChromium();
afterAll(() => browser.close());
beforeEach(async () => {
  broker = await startLocalBroker();
  dashboard = await startDashboardUnderTest(broker.url);
  page = await open();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await dashboard.close();
  await broker.close();
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const opened = await openPage(browser, dashboard.url, options);
  watched = opened.watched;
  return opened.page;
}

const slot = (connection: string, subject: string): Locator => slotOn(page, connection, subject);

describe('token-broker dashboard, in a browser', () => {
  it('hands out, rejects and purges, with nothing of the demo', async () => {
    const wfm = slot('wfm', 'system');
    const buttons = await wfm.getByRole('button').allTextContents();
    expect(buttons).toEqual(['Hand out', 'Reject', 'Purge', 'Who had it']);
    for (const id of ['guide', 'totals', 'activity', 'docs-link'])
      expect(await page.locator(`#${id}`).isVisible()).toBe(false);
    expect(await page.locator('.upstream:visible').count()).toBe(0);
    expect(await page.locator('#note').textContent()).toBe(`The broker at ${broker.url}.`);

    expect(await press(wfm, 'Hand out')).toMatch(/^Handed out after a login: token [0-9a-f]{12}, generation 1/);
    expect(await press(wfm, 'Reject')).toMatch(/^Replaced: the current token is now [0-9a-f]{12}, generation 2\./);
    expect(await wfm.locator('.chip').textContent()).toBe('fresh');
    expect(await press(wfm, 'Purge')).toMatch(/^Forgotten/);
    expect(await wfm.locator('.chip').textContent()).toBe('no token');
    expect(watched).toMatchObject({ askedElsewhere: [], errors: [] });
  });

  it('never gets to see a token or a credential', async () => {
    for (const name of ['Hand out', 'Reject', 'Purge', 'Hand out']) await press(slot('helpdesk', 'system'), name);
    await press(slot('wfm', 'system'), 'Hand out');
    const client = createTokenBrokerClient({ url: broker.url });
    const tokens = await Promise.all(['wfm', 'helpdesk'].map(async (name) => (await client.token(name)).token));
    const seen = [...watched.exchanged, await page.content()].join('\n');
    const secrets = [demoHelpmasterSecret.apiKey, demoCommunitySecret.password, ...tokens];
    expect(seen.length).toBeGreaterThan(1_000);
    expect(secrets.filter((secret) => seen.includes(secret)).length).toBe(0);
  });

  it('draws life as it runs down, also between two looks at the broker', async () => {
    let looks = 0;
    await press(slot('wfm', 'system'), 'Hand out');
    await page.waitForResponse('**/local/state');
    page.on('request', (request) => {
      if (request.url().endsWith('/local/state')) looks += 1;
    });
    const left = slot('wfm', 'system').locator('.left');
    const seen = new Set<string | null>();
    await expect
      .poll(async () => seen.add(await left.textContent()).size, { timeout: 15_000, interval: 200 })
      .toBeGreaterThanOrEqual(3);
    expect(looks).toBeLessThan(2);
  });

  it('says what the broker’s trouble is, keeps what it last saw, and comes back by itself', async () => {
    await press(slot('wfm', 'system'), 'Hand out');
    const message = { message: 'No connection to the broker.' };
    await page.route('**/local/state', (route) => route.fulfill({ status: 502, json: message }));
    await page.getByRole('alert').filter({ hasText: 'No connection to the broker.' }).waitFor();
    expect(await slot('wfm', 'system').locator('.chip').textContent()).toBe('fresh');
    await page.unroute('**/local/state');
    await page.getByText('live', { exact: true }).waitFor();
    expect(await page.locator('#trouble').isVisible()).toBe(false);
  });

  it.each([
    ['dark', { colorScheme: 'dark' }],
    ['light', { colorScheme: 'light' }],
    ['narrow', { viewport: { width: 360, height: 780 } }],
  ] as const)('can be read, %s', async (name, options) => {
    page = await open(options);
    await press(slot('wfm', 'system'), 'Hand out');
    await page.getByRole('article', { name: 'helpdesk' }).getByLabel('Another subject').fill('777');
    await page.keyboard.press('Enter');
    await press(slot('helpdesk', '777'), 'Hand out');
    await slot('helpdesk', '777').locator('.error').waitFor();
    expect(await page.evaluate(LOWEST_CONTRAST)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await picture(page, `dashboard-${name}`);
  });
});
