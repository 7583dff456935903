import { afterAll, describe, expect, it } from 'vitest';
import { startSystemUnderTest } from '../system/system-under-test.ts';
import { executeInSwagger, launchChromium, watchPage } from './chromium.ts';

const system = await startSystemUnderTest();
const browser = await launchChromium();
const page = await browser.newPage({ viewport: { width: 1200, height: 1400 } });
afterAll(async () => {
  await browser.close();
  await system.close();
});

describe("Swagger UI on the broker's own document, in a browser", () => {
  it('gets a person a token, and makes a proxied call', async () => {
    const { askedElsewhere, errors } = watchPage(page, system.url);
    await page.goto(`${system.url}/docs`);

    const handOut = JSON.parse(await executeInSwagger(page, 'handOut'));
    expect(handOut).toMatchObject({ connection: 'wfm', subject: 'system', source: 'login', token_type: 'N_A' });
    const folder = process.env['SCREENSHOT_FOLDER'];
    if (folder !== undefined) await page.screenshot({ path: `${folder}/docs.png` });

    const answer = JSON.parse(await executeInSwagger(page, 'proxyGet'));
    expect(answer).toMatchObject({ success: true, method: 'GET' });
    expect(answer.path).toMatch(/\/SingleRecurringEvent$/);

    const status = JSON.parse(await executeInSwagger(page, 'getConnection'));
    expect(status).toMatchObject({ name: 'wfm', slots: [{ subject: 'system', state: 'fresh', generation: 1 }] });
    expect(askedElsewhere).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('exchanges a JWT of the demo issuer, with the rest of the form as it stands', async () => {
    const jwt = await (await fetch(`${system.demo?.issuer.url}/__demo/token`)).text();
    await page.goto(`${system.url}/docs`);
    const exchanged = JSON.parse(await executeInSwagger(page, 'exchangeToken', { form: { subject_token: jwt } }));
    expect(exchanged).toMatchObject({ connection: 'helpdesk', subject: '88', source: 'login' });
  });

  it('is dark where the reader’s system is, also when that changes', async () => {
    const background = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(`${system.url}/docs`);
    expect(await background()).toBe('rgb(28, 32, 34)');
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(background).not.toBe('rgb(28, 32, 34)');
  });
});
