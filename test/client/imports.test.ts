import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const IMPORT = /(?:from|import\()\s*'([^']+)'/g;

it('the client imports nothing of the broker’s insides, but to judge trust rules', async () => {
  const files = (await readdir('client', { recursive: true })).filter(
    (name) => name.endsWith('.ts') && name !== 'cli/commands/trust-check.ts',
  );
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    const text = await readFile(join('client', file), 'utf8');
    for (const [, target = ''] of text.matchAll(IMPORT)) {
      const isOwn = !target.startsWith('.') || normalize(join('client', file, '..', target)).startsWith('client/');
      expect(isOwn, `${file} imports ${target}`).toBe(true);
    }
  }
});

it('the command line loads no undici before a command needs it', async () => {
  const program = `
    await Promise.all(['./client/cli/run.ts', './local/own-broker.ts'].map((file) => import(file)));
    process.stdout.write(process.moduleLoadList.filter((name) => /undici/.test(name)).join());
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout).toBe('');
});
