import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { copySite } from '../../client/dashboard/copy-site.ts';
import { RUNBOOKS } from '../../client/dashboard/runbooks.ts';
import { SITE_FILES } from '../../client/dashboard/site-files.ts';

it('the built package has the page with it', async () => {
  // Under node_modules, where what it imports is found, and where Node strips no types.
  const folder = await mkdtemp(join('node_modules', '.token-broker-client-'));
  try {
    await build({
      entryPoints: { index: 'client/index.ts', cli: 'local/token-broker.ts' },
      ...{ outdir: folder, bundle: true, splitting: true, format: 'esm', platform: 'node', packages: 'external' },
    });
    await copySite(folder);
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');

    const child = spawn(process.execPath, [join(folder, 'cli.js'), 'dashboard', '--port', '0']);
    try {
      const url = await new Promise<string>((resolve, reject) => {
        child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()));
        child.once('close', (code) => reject(new Error(`It ended with ${code}.`)));
      });
      for (const path of [
        '/',
        ...[...SITE_FILES, ...RUNBOOKS.map((name) => `runbooks/${name}`)].map((name) => `/local/${name}`),
      ]) {
        expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 200]);
      }
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
