import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DemoUpstream } from '../../local/demo/demo-upstream.ts';
import { demoHelpmasterSecret, type HelpmasterKnobs, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { executeInSwagger, launchChromium, watchPage } from './chromium.ts';

let upstream: DemoUpstream<HelpmasterKnobs>;
let browser: Browser;
let page: Page;
beforeEach(async () => {
  upstream = await startDemoHelpmaster();
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1200, height: 1400 } });
});
afterEach(async () => {
  await browser.close();
  await upstream.close();
});

describe('Swagger UI of the demo HelpMaster, in a browser', () => {
  it("H18: the vendor's walk-through ends in a call that acts as the staff member", async () => {
    const { askedElsewhere, errors } = watchPage(page, upstream.url);
    await page.goto(upstream.url);

    const answer = await executeInSwagger(page, 'getToken', {
      body: { ...demoHelpmasterSecret, loggedInUserPKID: 88 },
    });
    const token = /"token":\s*"([^"]+)"/.exec(answer)?.[1] ?? '';
    expect(token.split('.')).toHaveLength(3);

    await page.locator('.auth-wrapper .btn.authorize').first().click();
    await page.locator('.dialog-ux input').fill(token);
    await page.locator('.dialog-ux button[type=submit]').click();
    await page.locator('.dialog-ux .btn-done').click();

    const jobs = await executeInSwagger(page, 'myOpenJobs');
    expect(jobs).toContain('"userid": "88"');
    expect(upstream.ledger().calls.map(({ subject, status }) => `${subject} ${status}`)).toEqual(['88 200']);
    expect(askedElsewhere).toEqual([]);
    expect(errors).toEqual([]);
    const screenshot = process.env['SCREENSHOT_PATH'];
    if (screenshot !== undefined) await page.screenshot({ path: screenshot, fullPage: true });
  });

  it('a call without Authorize answers 401', async () => {
    await page.goto(upstream.url);
    await executeInSwagger(page, 'myOpenJobs');
    expect(upstream.ledger().calls.map(({ subject, status }) => `${subject} ${status}`)).toEqual(['unknown 401']);
  });
});
