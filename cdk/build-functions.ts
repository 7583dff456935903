import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { bundleOptions } from './bundle.ts';
import { BUILT_FUNCTIONS, FUNCTION_FOLDERS } from './function-code.ts';

/**
 * Builds every function of the clone into the folder that the construct takes them from. Leaves what is there already as
 * it is, and puts each new file in place whole: two synths at once build the same. Gives esbuild's account of each.
 */
export function buildFunctions(): Promise<readonly Metafile[]> {
  return Promise.all(FUNCTION_FOLDERS.map(buildFunction));
}

async function buildFunction(folder: string): Promise<Metafile> {
  const outdir = join(BUILT_FUNCTIONS, folder);
  const options = bundleOptions(folder, outdir);
  const { outputFiles, metafile } = await build({ ...options, mainFields: [...options.mainFields], write: false });
  await mkdir(outdir, { recursive: true });
  await Promise.all(outputFiles.map(({ path, contents }) => putFile(path, contents)));
  const built = new Set(outputFiles.map(({ path }) => basename(path)));
  const stale = (await readdir(outdir)).filter((name) => name.endsWith('.mjs') && !built.has(name));
  await Promise.all(stale.map((name) => rm(join(outdir, name), { force: true })));
  return metafile;
}

async function putFile(path: string, contents: Uint8Array): Promise<void> {
  const found = await readFile(path).catch(() => undefined);
  if (found?.equals(contents) === true) return;
  const part = `${path}.${process.pid}`;
  await writeFile(part, contents);
  await rename(part, path);
}

if (import.meta.main) await buildFunctions();
