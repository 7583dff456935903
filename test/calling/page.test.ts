import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CALLING_FOLDER, pathOf, readyRequests } from './ready-requests.ts';

const page = await readFile(join(CALLING_FOLDER, 'README.md'), 'utf8');
const files = await readdir(join(CALLING_FOLDER, 'examples'));

/** The rows of the table of ready requests: the file, and whether it is run. */
const rows = [...page.matchAll(/^\| [^|\n]+ \| \[([\w.]+)\]\(examples\/\1\) *\| [^|\n]+ \| ([^|\n]+?) *\|$/gm)].map(
  ([, file = '', run = '']) => ({ file, run }),
);

describe('the page for callers', () => {
  it('begins with one command and one answer', () => {
    const [, command = '', answer = ''] = /```console\n\$ (.+)\n([\s\S]*?)```/.exec(page) ?? [];

    expect(page.slice(0, page.indexOf(command)).split('\n').length).toBeLessThan(8);
    expect(command).toBe('curl -s http://127.0.0.1:8787/tokens/helpdesk/system');
    expect(answer).toMatch(/^\{"access_token":"eyJ/);
  });

  it('lists every ready request, and says plainly which are run', () => {
    expect(rows.map(({ file }) => file).toSorted()).toEqual(files.toSorted());
    const run = rows.filter((row) => row.run === 'by CI').map(({ file }) => file);
    expect(run.toSorted()).toEqual(readyRequests.map(([, file]) => file).toSorted());
    for (const row of rows) if (!run.includes(row.file)) expect(row.run).toMatch(/^\*\*never\*\*/);
  });

  it('has no broken links', async () => {
    const targets = [...page.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);

    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) await access(join(CALLING_FOLDER, target));
    for (const [, anchor = ''] of page.matchAll(/\]\(#([\w-]+)\)/g)) {
      expect(page.toLowerCase().replaceAll(' ', '-')).toContain(`##-${anchor}`);
    }
  });
});

it.each(files)('the ready request %s has fewer than 30 lines, and is about one signed call', async (file) => {
  const text = await readFile(pathOf(file), 'utf8');

  expect(text.trimEnd().split('\n').length).toBeLessThan(30);
  expect(text).toContain('/tokens/helpdesk/system');
  expect(text).toContain('execute-api');
});
