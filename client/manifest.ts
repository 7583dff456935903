import { chmod, readFile, writeFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import { copySite } from './dashboard/copy-site.ts';

/**
 * Writes the manifest of the package that callers install, and puts the dashboard's files beside it. `npm run
 * build:client` makes the code JavaScript, since Node strips no types under node_modules. Its dependencies are what the
 * built code imports, in the versions that the broker is tested with.
 */
const FOLDER = 'dist/client';
/** Report of esbuild on the files that it built. */
const METAFILE = 'dist/client.json';

const rootSchema = z.object({
  version: z.string(),
  license: z.string(),
  dependencies: z.record(z.string(), z.string()),
});
const metafileSchema = z.object({
  outputs: z.record(
    z.string(),
    z.object({ imports: z.array(z.object({ path: z.string(), external: z.optional(z.boolean()) })) }),
  ),
});

async function jsonIn(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

function packageOf(path: string): string {
  return path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/');
}

const root = rootSchema.parse(await jsonIn('package.json'));
const { outputs } = metafileSchema.parse(await jsonIn(METAFILE));
const imported = Object.values(outputs).flatMap(({ imports }) => imports);
const names = new Set(imported.filter(({ external }) => external === true).map(({ path }) => packageOf(path)));

const manifest = {
  name: 'token-broker-client',
  version: root.version,
  description: 'Tokens from a token broker, for programs and for the command line.',
  license: root.license,
  type: 'module',
  engines: { node: '>=22.12' },
  exports: {
    '.': { types: './types/index.d.ts', default: './index.js' },
    './adapters/*': { types: './types/adapters/*.d.ts', default: './adapters/*.js' },
  },
  bin: { 'token-broker': 'cli.js' },
  dependencies: Object.fromEntries(Object.entries(root.dependencies).filter(([name]) => names.has(name))),
};
await writeFile(`${FOLDER}/package.json`, `${JSON.stringify(manifest, undefined, 2)}\n`);
await copySite(FOLDER);
await chmod(`${FOLDER}/cli.js`, 0o755);
