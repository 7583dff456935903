import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Locator, Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The row of a slot. */
export function slotOn(page: Page, connection: string, subject: string): Locator {
  return page.locator(`[aria-labelledby="slot-${connection}-${subject}"]`);
}

/** Presses a button of a slot and waits for the sentence that says what came of it. */
export async function press(where: Locator, name: string): Promise<string> {
  await where.getByRole('button', { name, exact: true }).click();
  await where.locator('.result.good, .result.bad').filter({ hasNotText: /^…$/ }).waitFor();
  return (await where.locator('.result').textContent()) ?? '';
}

/** Writes a picture of the page where `SCREENSHOT_FOLDER` names one. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOT_FOLDER'];
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

/** Runs the rules of axe on the page, but for those that its authors call experimental, and names what breaks one. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 120))))`);
}

/** Script for the browser: texts with a contrast below 4.5 to 1 (WCAG 1.4.3), except in disabled controls. */
export const LOWEST_CONTRAST = `(() => {
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const groundOf = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const ground = rgb(getComputedStyle(at).backgroundColor);
      if (ground.length === 3 || ground[3] === 1) return ground;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll('body *')].filter(
    (node) => node.checkVisibility() && !node.disabled && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()),
  );
  return texts.flatMap((node) => {
    const [one, other] = [rgb(getComputedStyle(node).color), groundOf(node)].map(luminance);
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    return contrast < 4.5 ? [node.className + ' ' + node.textContent.slice(0, 30) + ': ' + contrast.toFixed(2)] : [];
  });
})()`;
