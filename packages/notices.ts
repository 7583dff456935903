import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { root } from './manifest.ts';

const PACKAGE = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENCE = /^(?:licen[cs]e|notice|copying)(?:\.(?:md|txt))?$/i;

/** Builds the notices of the packages whose code bundles have inside: name, version, licence and its text. */
export async function buildNotices(metafiles: readonly Metafile[], folders: readonly string[] = []): Promise<string> {
  const inputs = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const found = [...inputs.flatMap((path) => PACKAGE.exec(path)?.[1] ?? []), ...folders];
  const notices = await Promise.all([...new Set(found)].sort().map((folder) => noticeOf(join(root.folder, folder))));
  return `This package has code of the following packages inside.\n\n${notices.join('\n')}`;
}

async function noticeOf(folder: string): Promise<string> {
  const manifest: { readonly name: string; readonly version: string; readonly license?: string } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  );
  const files = (await readdir(folder)).filter((name) => LICENCE.test(name)).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return [
    `${'-'.repeat(80)}`,
    `${manifest.name} ${manifest.version}, ${manifest.license ?? 'see below'}`,
    '',
    ...texts.map((text) => `${text.trim()}\n`),
  ].join('\n');
}
