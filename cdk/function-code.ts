import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack, Stage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { buildSync } from 'esbuild';
import type { ApiFunctionName } from '../functions/api/routes.ts';
import { CONFIGURATION_FILE } from '../functions/composition/environment.ts';
import { serializeConfiguration } from '../functions/configuration/bundle.ts';
import type { Configuration } from '../functions/configuration/configuration.ts';
import { bundleOptions } from './bundle.ts';

const ROOT = join(import.meta.dirname, '..');

/** The folders under `functions/` that are deployed; each has a `handler.ts`. */
export type FunctionFolder = ApiFunctionName | 'mint' | 'refresh' | 'rotation';

/** Gives the code of a function, the same for all functions of a folder. */
export type CodeOf = (folder: FunctionFolder) => Code;

/**
 * Creates the bundler of a broker's functions, as `bundleOptions` says, with the configuration beside the code. The
 * construct library's own bundler makes one file only, and a cold start would read all of it. Needs no Docker.
 */
export function createBundler(scope: Construct, configuration: Configuration): CodeOf {
  const assembly = Stage.of(scope)?.outdir;
  if (assembly === undefined) throw new Error('A token broker is made inside an app.');
  const made = new Map<FunctionFolder, string>();

  function bundle(folder: FunctionFolder): string {
    // As with the construct library's bundler: a stack that only lists or tests need not bundle.
    if (!Stack.of(scope).bundlingRequired) return join(ROOT, 'functions', folder);
    const outdir = join(assembly ?? '', 'bundles', scope.node.addr, folder);
    // Files that an earlier synth left there would be deployed too.
    rmSync(outdir, { recursive: true, force: true });
    mkdirSync(outdir, { recursive: true });
    const options = bundleOptions(folder, outdir);
    buildSync({ ...options, mainFields: [...options.mainFields] });
    writeFileSync(join(outdir, CONFIGURATION_FILE), serializeConfiguration(configuration));
    return outdir;
  }

  return (folder) => {
    const folderOfCode = made.get(folder) ?? bundle(folder);
    made.set(folder, folderOfCode);
    return Code.fromAsset(folderOfCode);
  };
}
