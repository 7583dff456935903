import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DemoUpstream } from '../../local/demo/demo-upstream.ts';
import { demoHelpmasterSecret, type HelpmasterKnobs, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';

const usualPlaces = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const quietFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function chromiumPath(): string {
  const path = process.env['CHROMIUM_PATH'] ?? usualPlaces.find((place) => existsSync(place));
  if (path === undefined) throw new Error('no Chromium found: install one, or set CHROMIUM_PATH to it');
  return path;
}

let upstream: DemoUpstream<HelpmasterKnobs>;
let browser: Browser;
let page: Page;
beforeEach(async () => {
  upstream = await startDemoHelpmaster();
  browser = await chromium.launch({ executablePath: chromiumPath(), headless: true, args: quietFlags });
  page = await browser.newPage({ viewport: { width: 1200, height: 1400 } });
});
afterEach(async () => {
  await browser.close();
  await upstream.close();
});

/** Opens an operation, fills in its body where it has one, executes it, and returns the answer's body. */
async function execute(operationId: string, body?: object): Promise<string> {
  const operation = page.locator(`[id$="-${operationId}"]`);
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  if (body !== undefined) await operation.locator('textarea').fill(JSON.stringify(body));
  await operation.getByRole('button', { name: 'Execute' }).click();
  const answer = operation.locator('.live-responses-table .response-col_description pre').first();
  return (await answer.textContent()) ?? '';
}

describe('Swagger UI of the demo HelpMaster, in a browser', () => {
  it("H18: the vendor's walk-through ends in a call that acts as the staff member", async () => {
    const askedElsewhere: string[] = [];
    const errors: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(upstream.url) && !request.url().startsWith('data:'))
        askedElsewhere.push(request.url());
    });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto(upstream.url);

    const answer = await execute('getToken', { ...demoHelpmasterSecret, loggedInUserPKID: 88 });
    const token = /"token":\s*"([^"]+)"/.exec(answer)?.[1] ?? '';
    expect(token.split('.')).toHaveLength(3);

    await page.locator('.auth-wrapper .btn.authorize').first().click();
    await page.locator('.dialog-ux input').fill(token);
    await page.locator('.dialog-ux button[type=submit]').click();
    await page.locator('.dialog-ux .btn-done').click();

    const jobs = await execute('myOpenJobs');
    expect(jobs).toContain('"userid": "88"');
    expect(upstream.ledger().calls.map(({ subject, status }) => `${subject} ${status}`)).toEqual(['88 200']);
    expect(askedElsewhere).toEqual([]);
    expect(errors).toEqual([]);
    const screenshot = process.env['SCREENSHOT_PATH'];
    if (screenshot !== undefined) await page.screenshot({ path: screenshot, fullPage: true });
  });

  it('a call without Authorize answers 401', async () => {
    await page.goto(upstream.url);
    await execute('myOpenJobs');
    expect(upstream.ledger().calls.map(({ subject, status }) => `${subject} ${status}`)).toEqual(['unknown 401']);
  });
});
