import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeApp } from '../../local/init.ts';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'token-broker-init-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it('writes an app into an empty folder, with a manifest that names what it needs', async () => {
  const folder = await makeFolder();
  const written = await writeApp(folder);
  expect([...written].sort()).toEqual((await readdir(folder)).sort());
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  expect(manifest).toMatchObject({
    private: true,
    scripts: { dev: 'token-broker dev', deploy: 'token-broker deploy' },
  });
  expect(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).sort()).toEqual([
    '@token-broker/broker',
    'aws-cdk',
    'aws-cdk-lib',
    'constructs',
  ]);
  expect(await readFile(join(folder, '.gitignore'), 'utf8')).toMatch(/^secrets\.json$/m);
});

it('keeps what a manifest says already, a README, and the lines of a .gitignore', async () => {
  const folder = await makeFolder();
  const dependencies = { '@token-broker/broker': 'file:../x.tgz', 'aws-cdk-lib': '2.275.0' };
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'mine', type: 'commonjs', scripts: { dev: 'mine' }, dependencies }),
  );
  await writeFile(join(folder, 'README.md'), 'Mine.');
  await writeFile(join(folder, '.gitignore'), 'node_modules/\n*.log');
  expect(await writeApp(folder)).toContain('TOKEN-BROKER.md');
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  expect(manifest).toMatchObject({ name: 'mine', type: 'commonjs', scripts: { dev: 'mine' }, dependencies });
  expect(manifest).not.toHaveProperty('private');
  expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('Mine.');
  expect(await readFile(join(folder, 'TOKEN-BROKER.md'), 'utf8')).toMatch(/^## In AWS/m);
  // A credential is ignored all the same.
  expect(await readFile(join(folder, '.gitignore'), 'utf8')).toBe('node_modules/\n*.log\ncdk.out/\nsecrets.json\n');
});

it('writes nothing where a file of its is there', async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, 'app.mjs'), '// mine');
  await expect(writeApp(folder)).rejects.toThrow('Nothing was written. Here already: app.mjs. Take an empty folder.');
  expect(await readdir(folder)).toEqual(['app.mjs']);
});
