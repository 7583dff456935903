import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTokenBrokerClient } from '../../client/index.ts';
import { type DashboardUnderTest, startDashboardUnderTest } from '../client/dashboard-under-test.ts';
import { type LocalBroker, startLocalBroker } from '../client/local-broker.ts';
import { launchChromium, openPage, type Watched } from './chromium.ts';
import { axeFindings, LOWEST_CONTRAST, picture, press, slotOn } from './slot-on-page.ts';

let broker: LocalBroker;
let dashboard: DashboardUnderTest;
let page: Page;
let watched: Watched;

const browser = await launchChromium();

/** A night's trouble: tokens in use, an upstream that refuses its credential, and one that is down. */
beforeAll(async () => {
  broker = await startLocalBroker();
  dashboard = await startDashboardUnderTest(broker.url);
  const client = createTokenBrokerClient({ url: broker.url });
  for (const subject of ['88', '42']) await client.token('helpdesk', { subject });
  // The first one would answer from its own memory.
  await createTokenBrokerClient({ url: broker.url }).token('helpdesk', { subject: '88' });
  await broker.turn('helpmaster', { suspended: true });
  await client.token('helpdesk').catch(() => undefined);
  await broker.turn('community', { loginStatus: 503 });
  await client.token('wfm').catch(() => undefined);
  await broker.turn('community', { loginStatus: null });
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});
afterAll(async () => {
  await browser.close();
  await dashboard.close();
  await broker.close();
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const opened = await openPage(browser, dashboard.url, options);
  ({ page, watched } = opened);
  await page.locator('#history-note').filter({ hasText: 'hand-out' }).waitFor();
  return page;
}

const slot = (connection: string, subject: string): Locator => slotOn(page, connection, subject);
const chart = (name: string) => page.getByRole('region', { name: `${name}, history` });
const lane = (name: string, kind: string) => chart(name).locator(`.lane.${kind}`);

async function showEverything(): Promise<void> {
  await slot('helpdesk', 'system').getByText('What to do').click();
  await page.getByRole('heading', { name: 'What it means' }).waitFor();
  await chart('helpdesk').getByText('The numbers').click();
  await slot('helpdesk', '88').getByRole('button', { name: 'Who had it' }).click();
  await page.locator('.record').first().waitFor();
}

describe('the page of an operator, in a browser', () => {
  it('shows hand-outs, logins and failures by time, and says where they were counted', async () => {
    await open();
    expect(await page.locator('#history-note').textContent()).toContain('since its start');
    expect(await lane('helpdesk', 'hand_outs').locator('.lane-total').textContent()).toBe('3');
    expect(await lane('helpdesk', 'logins').locator('.lane-total').textContent()).toBe('3');
    expect(await lane('helpdesk', 'hand_outs').locator('path').getAttribute('d')).toMatch(/^M\d+\.\d+ 1V0/);
    expect(Number(await lane('wfm', 'failures').locator('.lane-total').textContent())).toBeGreaterThan(0);
    expect(await chart('wfm').textContent()).toMatch(/Failed: upstream_unavailable × \d/);
    await page.getByRole('radio', { name: 'last week' }).check();
    await lane('helpdesk', 'hand_outs').getByText('in 2 hours').waitFor();
    await chart('helpdesk').getByText('The numbers').click();
    expect(await chart('helpdesk').getByRole('row').nth(1).textContent()).toMatch(/:\d\d33\d1$/);
    expect(watched).toMatchObject({ askedElsewhere: [], errors: [] });
  });

  it('shows what a stop rests on, and the runbook with the slot’s own names in it', async () => {
    await open();
    const refused = slot('helpdesk', 'system');
    expect(await refused.locator('.evidence').textContent()).toBe(
      'It rests on the status 401 with JSON of its own shape, and the refusal in the body.',
    );
    await refused.getByText('What to do: renew the credential').click();
    await refused.getByRole('heading', { name: 'What it means' }).waitFor();
    const text = await refused.locator('.runbook-text').textContent();
    expect(text).toContain('token-broker status helpdesk');
    expect(text).not.toMatch(/\bNAME\b|[`*]{1,2}/);
    expect(await slot('wfm', 'system').getByText('What to do: check the upstream').isVisible()).toBe(true);
    expect(await slot('helpdesk', '88').locator('.runbook').isVisible()).toBe(false);
  });

  it('tells who had which token, of a slot and by the token hash', async () => {
    await open();
    await slot('helpdesk', '88').getByRole('button', { name: 'Who had it' }).click();
    await page.getByText('2 hand-outs of 1 token to 1 caller.').waitFor();
    expect(await page.locator('.record').first().textContent()).toContain('arn:aws:iam::000000000000:user/local');
    const hash = (await page.locator('.record code').first().textContent()) ?? '';
    await page.getByLabel('Subject', { exact: true }).fill('');
    await page.getByLabel('Token hash').fill(hash);
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('2 hand-outs of 1 token').waitFor();
    await page.getByLabel('Caller has in its name').fill('nobody');
    await page.keyboard.press('Enter');
    await page.getByText('No hand-out fits.').waitFor();
  });

  it('never takes the token itself for its hash', async () => {
    await open();
    await page.getByLabel('Token hash').fill('eyJhbGciOiJIUzI1NiJ9');
    await page.getByRole('button', { name: 'Ask' }).click();
    expect(await page.evaluate("document.querySelector('[name=token]').validity.valid")).toBe(false);
    expect(watched.exchanged.join('')).not.toContain('eyJhbGciOiJIUzI1NiJ9');
  });

  it('says why there is no history, and shows all else', async () => {
    await open();
    const message = 'Your identity may not read the metrics. It needs cloudwatch:GetMetricData.';
    await page.route('**/local/history?*', (route) => route.fulfill({ status: 502, json: { message } }));
    await page.getByRole('radio', { name: 'last day' }).check();
    await page.getByText(`There is no history. ${message}`).waitFor();
    expect(await chart('helpdesk').isVisible()).toBe(false);
    expect(await slot('helpdesk', '88').locator('.chip').textContent()).toBe('fresh');
  });

  it('can be used by the keyboard alone, with the focus to be seen', async () => {
    await open();
    /** Goes on until the focus is where it is wanted, and returns what it was on. */
    async function tabTo(wanted: string): Promise<void> {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        const [name, outline] = (await page.evaluate(`(() => {
          const node = document.activeElement;
          return [node.textContent.trim() || node.name || node.tagName, getComputedStyle(node).outlineStyle];
        })()`)) as [string, string];
        expect([name, outline]).not.toEqual([name, 'none']);
        if (name.startsWith(wanted)) return;
      }
      throw new Error(`The focus never came to ${wanted}.`);
    }
    await tabTo('span');
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('radio', { name: 'last day' }).isChecked()).toBe(true);
    await tabTo('The numbers');
    await page.keyboard.press('Enter');
    expect(await chart('helpdesk').getByRole('table').isVisible()).toBe(true);
    await tabTo('What to do');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What it means' }).waitFor();
    await tabTo('Who had it');
    await page.keyboard.press('Enter');
    await page.getByText('No hand-out fits.').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('audit-title');
  });

  it.each([
    ['wide-light', { colorScheme: 'light', viewport: { width: 1280, height: 900 } }],
    ['wide-dark', { colorScheme: 'dark', viewport: { width: 1280, height: 900 } }],
    ['narrow-light', { colorScheme: 'light', viewport: { width: 375, height: 800 } }],
    ['narrow-dark', { colorScheme: 'dark', viewport: { width: 375, height: 800 } }],
  ] as const)('breaks none of axe’s rules, and fits, %s', async (name, options) => {
    await open(options);
    await press(slot('helpdesk', '88'), 'Hand out');
    await picture(page, `operator-${name}-closed`);
    await showEverything();
    expect(await axeFindings(page)).toEqual([]);
    expect(await page.evaluate(LOWEST_CONTRAST)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await picture(page, `operator-${name}`);
  });
});
