import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, buildSync, type Metafile } from 'esbuild';
import { bundleOptions } from '../../cdk/bundle.ts';

/** A bundle: its entry, and esbuild's account of it. */
export interface Bundle {
  readonly entry: string;
  readonly metafile: Metafile;
}

/** Bundles a function as it is deployed. `entryPoint` bundles another file in the same way. */
export function bundleFunction(folder: string, outdir: string, entryPoint?: string): Bundle {
  const options = bundleOptions(folder, outdir);
  const entryPoints = entryPoint === undefined ? options.entryPoints : { index: entryPoint };
  return build({ ...options, mainFields: [...options.mainFields], entryPoints }, join(outdir, 'index.mjs'));
}

/** The same in one piece: everything is read and compiled at once. */
export function bundleInOne(folder: string, outdir: string, format: 'esm' | 'cjs', entryPoint?: string): Bundle {
  const { mainFields, outExtension: _, ...options } = bundleOptions(folder, outdir);
  const entryPoints = entryPoint === undefined ? options.entryPoints : { index: entryPoint };
  const extension = format === 'esm' ? '.mjs' : '.cjs';
  return build(
    {
      ...options,
      entryPoints,
      mainFields: [...mainFields],
      splitting: false,
      format,
      outExtension: { '.js': extension },
    },
    join(outdir, `index${extension}`),
  );
}

/** A program of the benchmark's own as one ES module: nothing stands in for anything, unlike in a function's bundle. */
export function bundleProgram(entryPoint: string, outfile: string): Bundle {
  const { bundle, platform, target, format, define, mainFields } = bundleOptions('', '');
  const same = { bundle, platform, target, format, define, mainFields: [...mainFields] };
  return build({ ...same, entryPoints: [entryPoint], outfile }, outfile);
}

/** A bundle as esbuild makes it where nobody says more than `--bundle --platform=node`. */
export function bundleByDefault(entryPoint: string, outfile: string): Bundle {
  return build({ entryPoints: [entryPoint], outfile, bundle: true, platform: 'node', target: 'node24' }, outfile);
}

function build(options: BuildOptions, entry: string): Bundle {
  if (options.outdir !== undefined) rmSync(options.outdir, { recursive: true, force: true });
  const { metafile } = buildSync({ ...options, metafile: true, logLevel: 'error' });
  if (metafile === undefined) throw new Error('esbuild gave no account of the bundle.');
  return { entry, metafile };
}
