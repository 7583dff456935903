import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

const { version }: { readonly version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/**
 * Gives esbuild's options for the function in `functions/<folder>`. The build and the benchmark both use them: what is
 * measured is what is deployed. `outdir` gets `index.mjs` and, beside it, the chunks that are loaded on demand; the
 * configuration joins them at synth.
 *
 * Split: what a warm hand-out does not need (the Lambda client, the default credential chain, the reading of bodies)
 * is a chunk of its own, and is neither read nor compiled before it is asked for. `module` before `main`: the SDK's ES
 * modules shake, its CommonJS does not. Everything is inside, the SDK too: what the runtime brings along is older and
 * slower to load.
 */
export function bundleOptions(folder: string, outdir: string) {
  return {
    absWorkingDir: ROOT,
    entryPoints: { index: join(ROOT, 'functions', folder, 'handler.ts') },
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    splitting: true,
    minify: true,
    mainFields: ['module', 'main'],
    define: {
      TOKEN_BROKER_VERSION: JSON.stringify(version),
      // The SDK looks whether a body is a stream of the web, and Node loads those for the look. No body is one.
      ReadableStream: 'undefined',
    },
    alias: {
      '@aws-sdk/credential-provider-node': join(ROOT, 'functions/adapters/aws/environment-credentials.ts'),
      '@aws-sdk/endpoint-cache': join(ROOT, 'functions/adapters/dynamodb/no-endpoint-cache.ts'),
      '@smithy/core/event-streams': join(ROOT, 'functions/adapters/aws/no-event-streams.ts'),
      'node:fs': join(ROOT, 'functions/adapters/node-parts.ts'),
      'node:fs/promises': join(ROOT, 'functions/adapters/node-parts.ts'),
      'node:process': join(ROOT, 'functions/adapters/node-parts.ts'),
    },
    outExtension: { '.js': '.mjs' },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  } as const;
}
