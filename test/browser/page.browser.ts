import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demoCommunitySecret } from '../../local/demo/community.ts';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster.ts';
import { send } from '../local/demo/demo-client.ts';
import { type SystemUnderTest, startSystemUnderTest } from '../system/system-under-test.ts';
import { launchChromium, openPage, type Watched } from './chromium.ts';
import { axeFindings, LOWEST_CONTRAST, picture, press, slotOn } from './slot-on-page.ts';

let system: SystemUnderTest;
let page: Page;
let watched: Watched;

const browser = await launchChromium();
afterAll(() => browser.close());
beforeEach(async () => {
  system = await startSystemUnderTest();
  page = await open();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await system.close();
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const opened = await openPage(browser, system.url, options);
  watched = opened.watched;
  return opened.page;
}

const slot = (connection: string, subject: string): Locator => slotOn(page, connection, subject);

const total = (label: string) => page.locator('.totals div').filter({ hasText: label }).locator('dd').textContent();

describe('the page, in a browser', () => {
  it('walks a newcomer through: one login, a herd for one login, a slide, an outage that nobody notices', async () => {
    const wfm = slot('wfm', 'system');
    expect(await press(wfm, 'Hand out')).toMatch(/^Handed out after a login: token [0-9a-f]{12}, generation 1/);
    expect(await press(wfm, 'Hand out')).toMatch(/^Handed out from the cache/);
    expect(await press(slot('helpdesk', 'system'), '200 callers at once')).toMatch(
      /^200 callers on 8 cold functions: 1 login, 1 token, /,
    );
    expect(await press(wfm, 'Skip to refresh')).toMatch(/generation 1 became 2\. No caller waited/);
    await expect.poll(() => total('logins')).toBe('2');
    await expect.poll(() => total('slides')).toBe('1');

    await page.getByRole('article', { name: 'wfm' }).getByLabel('Upstream').selectOption('Out of service (503)');
    await page.locator('.upstream.broken').waitFor();
    expect(await press(wfm, 'Skip to refresh')).toMatch(/^Not refreshed \(upstream_unavailable\)/);
    expect(await press(wfm, 'Hand out')).toMatch(/^Handed out/);
    expect(await wfm.locator('.error').textContent()).toMatch(/upstream_unavailable\. Wait: the broker tries again/);
    expect(await press(wfm, 'Call upstream')).toBe(
      'The upstream answered 503. The broker passed that on: no attempt of its own failed.',
    );
    await picture(page, 'light');

    await page.locator('.upstream.broken').getByRole('button', { name: 'Mend' }).click();
    await page.locator('.upstream.broken').waitFor({ state: 'detached' });
    expect(await press(wfm, 'Call upstream')).toMatch(/^The upstream answered 200/);
    expect(watched).toMatchObject({ askedElsewhere: [], errors: [] });
  });

  it('has the OAuth connection beside the others, with its own faults and no users', async () => {
    const card = page.getByRole('article', { name: 'orders' });
    const orders = slot('orders', 'system');
    expect(await press(orders, 'Hand out')).toMatch(/^Handed out after a login: token [0-9a-f]{12}, generation 1/);
    expect(await press(orders, 'Call upstream')).toMatch(/^The upstream answered 200/);
    expect(await card.getByLabel('Another subject').isVisible()).toBe(false);
    await card.getByLabel('Upstream').selectOption('Blocked by a firewall (403)');
    await card.locator('.upstream.broken').waitFor();
    expect(await press(orders, 'Call upstream')).toMatch(/^The upstream answered 403\. The broker passed that on/);
    expect(await press(orders, 'Skip to refresh')).toMatch(/^Not refreshed \(upstream_login_ambiguous\)/);
  });

  it('never gets to see a token or a credential', async () => {
    for (const name of ['Hand out', '200 callers at once', 'Call upstream', 'Reject', 'Purge', 'Hand out']) {
      await press(slot('helpdesk', 'system'), name);
    }
    const tokens = await Promise.all(
      ['wfm/system', 'helpdesk/system'].map((path) => send(`${system.url}/tokens/${path}`)),
    );
    const seen = [...watched.exchanged, await page.content()].join('\n');
    const secrets = [
      demoHelpmasterSecret.apiKey,
      demoCommunitySecret.password,
      ...tokens.map(({ json }) => String(json?.['access_token'])),
    ];
    expect(seen.length).toBeGreaterThan(1_000);
    expect(secrets.filter((secret) => seen.includes(secret)).length).toBe(0);
  });

  it('draws how much life is left, and where the refresh is', async () => {
    await press(slot('wfm', 'system'), 'Hand out');
    const life = slot('wfm', 'system').locator('.life');
    await expect.poll(() => life.getAttribute('aria-label')).toMatch(/^20 min of 20 min left\. Refresh in \d+ min/);
    const leftPercent = async (): Promise<number> => {
      const style = await life.locator('.fill').evaluate((node) => node.getAttribute('style'));
      return Number(/--left: ([\d.]+)%/.exec(style ?? '')?.[1]);
    };
    const markAt = await life.evaluate((node) => {
      const mark = node.querySelector('.mark')?.getBoundingClientRect();
      return ((mark?.left ?? 0) - node.getBoundingClientRect().left) / node.getBoundingClientRect().width;
    });
    // Half of the life, brought forward by up to 5 % of it.
    expect(markAt).toBeGreaterThan(0.48);
    expect(markAt).toBeLessThan(0.57);
    const before = await leftPercent();
    expect(before).toBeGreaterThan(95);
    await expect.poll(leftPercent, { timeout: 15_000 }).toBeLessThan(before);
  });

  it('takes another subject by name, and explains why the upstream refuses one', async () => {
    await page.getByRole('article', { name: 'helpdesk' }).getByLabel('Another subject').fill('777');
    await page.keyboard.press('Enter');
    expect(await press(slot('helpdesk', '777'), 'Hand out')).toMatch(
      /^upstream_subject_rejected\. .*Only this slot is affected\.$/,
    );
    await expect.poll(() => slot('helpdesk', '777').locator('.chip').textContent()).toBe('cooldown');
  });

  it('says when the broker is gone, and comes back by itself', async () => {
    await page.route('**/local/state', (route) => route.abort());
    await page.getByRole('alert').filter({ hasText: 'The broker does not answer' }).waitFor();
    await page.unroute('**/local/state');
    await page.getByText('live', { exact: true }).waitFor();
    expect(await page.locator('#trouble').isVisible()).toBe(false);
  });

  it('can be used with the keyboard alone, and keeps the focus while it redraws', async () => {
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the connections');
    const button = slot('wfm', 'system').getByRole('button', { name: 'Hand out' });
    await button.focus();
    await page.keyboard.press('Enter');
    await slot('wfm', 'system').locator('.result.good').waitFor();
    await page.waitForResponse('**/local/state');
    await page.waitForResponse('**/local/state');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Hand out');
  });

  it('names every control and says results aloud', async () => {
    const unnamed = await page.evaluate(`[...document.querySelectorAll('button, select, input, a')]
      .filter((node) => !(node.textContent.trim() || node.labels?.length || node.ariaLabel)).length`);
    expect(unnamed).toBe(0);
    expect(await slot('wfm', 'system').getByRole('status').count()).toBe(1);
    expect(await page.getByRole('group', { name: 'wfm, system' }).getByRole('button').count()).toBe(7);
    const levels = await page.evaluate(
      `[...document.querySelectorAll('h1,h2,h3,h4')].map((node) => node.tagName).join(' ')`,
    );
    expect(levels).toBe('H1 H2 H2 H3 H4 H3 H4 H3 H4 H2 H2');
  });
});

describe('the appearance of the page', () => {
  it.each([
    ['dark', { colorScheme: 'dark' }],
    ['light', { colorScheme: 'light' }],
  ] as const)('has enough contrast in every text, and breaks none of axe’s rules, %s', async (name, options) => {
    page = await open(options);
    await press(slot('wfm', 'system'), 'Hand out');
    await press(slot('wfm', 'system'), 'Reject');
    await page.getByRole('article', { name: 'wfm' }).getByLabel('Upstream').selectOption('Out of service (503)');
    await page.locator('.upstream.broken').waitFor();
    await press(slot('wfm', 'system'), 'Skip to refresh');
    await slot('wfm', 'system').locator('.error').waitFor();
    expect(await page.evaluate(LOWEST_CONTRAST)).toEqual([]);
    expect(await axeFindings(page)).toEqual([]);
    await picture(page, name);
  });

  it('fits 360 pixels, with targets that can be hit', async () => {
    page = await open({ viewport: { width: 360, height: 780 }, hasTouch: true });
    await press(slot('wfm', 'system'), 'Hand out');
    await slot('wfm', 'system').locator('.fill').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    const low = await page.evaluate(
      `[...document.querySelectorAll('button, select, input, summary')].map((node) => (node.type === 'radio' ? node.parentNode : node)).filter((node) => node.checkVisibility() && node.offsetHeight < 32).length`,
    );
    expect(low).toBe(0);
    await picture(page, 'narrow');
  });

  it('moves nothing with prefers-reduced-motion', async () => {
    page = await open({ reducedMotion: 'reduce' });
    await press(slot('wfm', 'system'), 'Hand out');
    expect(await page.evaluate(`getComputedStyle(document.querySelector('.fill')).transitionDuration`)).toBe('0s');
  });
});
