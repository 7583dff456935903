import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack, Stage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { CONFIGURATION_FILE } from '../functions/composition/environment.ts';
import { serializeConfiguration } from '../functions/configuration/bundle.ts';
import type { Configuration } from '../functions/configuration/configuration.ts';

/** The folder of the built functions: `buildFunctions` fills it in a clone, and the package comes with it. */
export const BUILT_FUNCTIONS = join(import.meta.dirname, '../dist/functions');

/** The folders under `functions/` that are deployed; each has a `handler.ts`. */
export const FUNCTION_FOLDERS = [
  'token',
  'connections',
  'proxy',
  'exchange',
  'mint',
  'refresh',
  'rotation',
  'canary',
] as const;
/** A folder of `functions/` that is built into a function. */
export type FunctionFolder = (typeof FUNCTION_FOLDERS)[number];

/** Lambda's name for the handler of a built function: the file `index.mjs`, its export `handler`. */
export const BUILT_HANDLER = 'index.handler';

/** Gives the code of a function, the same for all functions of a folder. */
export type CodeOf = (folder: FunctionFolder) => Code;

/**
 * Creates what gives a broker's functions their code: as they were built, with the configuration beside them. Throws for
 * a function that is not built: an asset of the configuration alone would deploy, and fail at every request.
 */
export function createFunctionCode(
  scope: Construct,
  configuration: Configuration,
  builtFunctions = BUILT_FUNCTIONS,
): CodeOf {
  const assembly = Stage.of(scope)?.outdir;
  if (assembly === undefined) throw new Error('A token broker is made inside an app.');
  const made = new Map<FunctionFolder, string>();

  function put(folder: FunctionFolder): string {
    const built = join(builtFunctions, folder);
    if (!existsSync(join(built, 'index.mjs'))) {
      throw new Error(`The function ${folder} is not built: in a clone run \`npm run build:functions\`.`);
    }
    const outdir = join(assembly ?? '', 'functions', scope.node.addr, folder);
    // Files that an earlier synth left there would be deployed too.
    rmSync(outdir, { recursive: true, force: true });
    cpSync(built, outdir, { recursive: true });
    writeFileSync(join(outdir, CONFIGURATION_FILE), serializeConfiguration(configuration));
    return outdir;
  }

  return (folder) => {
    // As with the construct library's bundler: a stack that only lists or tests needs no code.
    if (!Stack.of(scope).bundlingRequired) return Code.fromInline('// not synthesized');
    const outdir = made.get(folder) ?? put(folder);
    made.set(folder, outdir);
    return Code.fromAsset(outdir);
  };
}
