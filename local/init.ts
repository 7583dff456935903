import { spawn } from 'node:child_process';
import { access, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError } from '../client/cli/exit-codes.ts';
import { readVersion } from '../client/cli/version.ts';
import { isRecord } from '../functions/configuration/shape.ts';

/** Files of the app, which `app/` has here. */
const FILES = ['app.mjs', 'connections.mjs'];
/** One more, under the other name if the folder has a README of its own. */
const README = 'README.md';
const OTHER_README = 'TOKEN-BROKER.md';
/** Another, which gets the lines of `app/gitignore` that it has not. */
const IGNORED = '.gitignore';

const PACKAGE = '@token-broker/broker';
const SCRIPTS = { dev: 'token-broker dev', synth: 'cdk synth --quiet', deploy: 'token-broker deploy' };
/** The construct library: an app of its own depends on it, and for the package it is a peer. */
export const CDK = { 'aws-cdk-lib': '^2.275.0', constructs: '^10.5.0' };
const CDK_PROGRAM = { 'aws-cdk': '^2.1148.1' };

/**
 * Writes a small CDK app into a folder, and adds to its `package.json` what it needs. Returns the names of the files.
 * Throws a `UsageError`, before it writes anything, if one of them is there already.
 */
export async function writeApp(folder: string): Promise<readonly string[]> {
  const readme = (await isThere(join(folder, README))) ? OTHER_README : README;
  const there = await filter([...FILES, readme, 'cdk.json'], (name) => isThere(join(folder, name)));
  if (there.length > 0) {
    throw new UsageError(`Nothing was written. Here already: ${there.join(', ')}. Take an empty folder.`);
  }
  const manifest = await readManifest(folder);
  for (const name of FILES) await writeFile(join(folder, name), await readTemplate(name));
  await writeFile(join(folder, readme), await readTemplate(README));
  await addIgnored(join(folder, IGNORED));
  await writeJson(join(folder, 'cdk.json'), { app: 'node app.mjs', context: await readFlags() });
  await writeJson(join(folder, 'package.json'), manifest);
  return [...FILES, readme, IGNORED, 'cdk.json', 'package.json'];
}

/** Runs `npm install` in a folder, with npm's output on stderr. Returns whether it succeeded. */
export async function installApp(folder: string): Promise<boolean> {
  const words = ['install', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawn('npm', words, { cwd: folder, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  return new Promise((resolve) => {
    npm.once('error', () => resolve(false));
    npm.once('close', (code) => resolve(code === 0));
  });
}

/** Builds the manifest of the app: all that the present one says, and what is missing. */
async function readManifest(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(folder, 'package.json');
  const found: unknown = (await isThere(path)) ? JSON.parse(await readFile(path, 'utf8')) : {};
  if (!isRecord(found)) throw new UsageError(`${path} is not a package's manifest.`);
  const part = (key: string) => (isRecord(found[key]) ? found[key] : {});
  const known = { ...part('dependencies'), ...part('devDependencies') };
  const missing = (packages: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(packages).filter(([name]) => !Object.hasOwn(known, name)));
  return {
    ...((await isThere(path))
      ? {}
      : {
          name: basename(folder)
            .toLowerCase()
            .replace(/[^a-z0-9._-]/g, '-'),
          private: true,
        }),
    ...found,
    scripts: { ...SCRIPTS, ...part('scripts') },
    dependencies: { ...part('dependencies'), ...missing({ [PACKAGE]: `^${readVersion()}`, ...CDK }) },
    devDependencies: { ...part('devDependencies'), ...missing(CDK_PROGRAM) },
  };
}

/** Adds to a `.gitignore` what belongs into no repository, credentials among it. */
async function addIgnored(path: string): Promise<void> {
  const found = (await isThere(path)) ? await readFile(path, 'utf8') : '';
  const known = new Set(found.split(/\r?\n/));
  const missing = (await readTemplate('gitignore'))
    .trimEnd()
    .split('\n')
    .filter((line) => !known.has(line));
  if (missing.length === 0) return;
  const start = found === '' || found.endsWith('\n') ? found : `${found}\n`;
  await writeFile(path, `${start}${missing.join('\n')}\n`);
}

function readTemplate(name: string): Promise<string> {
  return readFile(new URL(`./app/${name}`, import.meta.url), 'utf8');
}

/** The feature flags of CDK that the broker is tested with. */
async function readFlags(): Promise<unknown> {
  const { context }: { readonly context?: unknown } = JSON.parse(
    await readFile(new URL('../cdk.json', import.meta.url), 'utf8'),
  );
  return context;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

async function filter<Each>(all: readonly Each[], keeps: (each: Each) => Promise<boolean>): Promise<readonly Each[]> {
  const kept = await Promise.all(all.map(keeps));
  return all.filter((_, index) => kept[index]);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
