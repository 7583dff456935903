import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

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

/** Starts the Chromium that `CHROMIUM_PATH` names, or one in the usual places, with further flags. */
export function launchChromium(...flags: readonly string[]): Promise<Browser> {
  const path = process.env['CHROMIUM_PATH'] ?? usualPlaces.find((place) => existsSync(place));
  if (path === undefined) throw new Error('no Chromium found: install one, or set CHROMIUM_PATH to it');
  return chromium.launch({ executablePath: path, headless: true, args: [...quietFlags, ...flags] });
}

/** Misbehaviour of a page, and the traffic to look through for leaks. */
export interface Watched {
  /** Addresses of other servers that were asked for anything. */
  readonly askedElsewhere: string[];
  /** Errors in the console, broken policies among them. */
  readonly errors: string[];
  /** The server's answers to scripts, and all that was sent. */
  readonly exchanged: string[];
}

/** Writes down what `page`, which belongs to the server at `url`, asks for and complains of. */
export function watchPage(page: Page, url: string): Watched {
  const watched: Watched = { askedElsewhere: [], errors: [], exchanged: [] };
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(url) && !asked.startsWith('data:')) watched.askedElsewhere.push(asked);
    watched.exchanged.push(request.postData() ?? '');
  });
  page.on('response', async (response) => {
    const isData = (response.headers()['content-type'] ?? '').includes('json');
    if (isData) watched.exchanged.push(await response.text().catch(() => ''));
  });
  page.on('pageerror', (error) => watched.errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') watched.errors.push(message.text());
  });
  return watched;
}

/** Opens the broker's page at `url` in a window of its own, watched from the start, and waits until it shows the slots. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly watched: Watched }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const watched = watchPage(page, url);
  await page.goto(url);
  await page.getByRole('heading', { name: 'wfm' }).waitFor();
  return { page, watched };
}

/** Runs one operation of a Swagger UI, with its body or parts of its form where it has one, and returns the answer's body. */
export async function executeInSwagger(
  page: Page,
  operationId: string,
  { body, form = {} }: { readonly body?: object; readonly form?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const operation = page.locator(`[id$="-${operationId}"]`);
  await operation.locator('.opblock-summary-control').click();
  const tryIt = operation.getByRole('button', { name: 'Try it out' });
  const run = operation.getByRole('button', { name: 'Execute' });
  // Some pages are ready to be tried as they open.
  await tryIt.or(run).first().waitFor();
  if (!(await run.isVisible())) await tryIt.click();
  if (body !== undefined) await operation.locator('textarea').fill(JSON.stringify(body));
  for (const [name, value] of Object.entries(form)) {
    await operation.locator(`tr[data-property-name="${name}"] input[type="text"]`).fill(value);
  }
  await run.click();
  const answer = operation.locator('.live-responses-table .response-col_description pre').first();
  return (await answer.textContent()) ?? '';
}
