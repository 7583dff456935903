import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { copyInto, writeDeclarations } from './declarations.ts';
import { manifestOf, rangesOf, root } from './manifest.ts';
import { OLDER_NODE } from './older-node.ts';

/** The libraries that the adapters are for: whoever uses one has it. */
const ADAPTERS = ['axios', 'got', 'undici'];
// The first releases with what the adapters use: got's `preserveHooks`, and the names of undici's handlers.
const PEERS = { axios: '^1.7.0', got: '>=14.5', undici: '>=7' };

/** Builds the package of whoever calls: the client and its adapters, and nothing of the command line's. */
export async function buildClient(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const adapters = ADAPTERS.map((name) => `client/adapters/${name}.ts`);
  const { metafile } = await build({
    absWorkingDir: root.folder,
    entryPoints: ['client/index.ts', ...adapters],
    outbase: 'client',
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    define: { ...OLDER_NODE },
    inject: [join(root.folder, 'packages/older-node.ts')],
    metafile: true,
    logLevel: 'warning',
  });
  const declared = await writeDeclarations(['client/index.ts', ...adapters], join(folder, 'types'));
  const bundled = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.flatMap(({ path, external }) => (external === true ? [path] : [])),
  );
  const imported = new Set([...bundled, ...declared].filter((path) => !path.startsWith('node:')).map(packageOf));
  await copyInto(folder, { 'README.md': 'packages/client/README.md', LICENSE: 'LICENSE' });
  const manifest = {
    ...manifestOf('client', 'Client of a token broker: tokens for your calls, or the calls made for you.'),
    keywords: ['oauth', 'token', 'token-broker', 'sigv4'],
    type: 'module',
    main: './index.js',
    types: './types/client/index.d.ts',
    exports: {
      '.': { types: './types/client/index.d.ts', default: './index.js' },
      './adapters/*': { types: './types/client/adapters/*.d.ts', default: './adapters/*.js' },
      './package.json': './package.json',
    },
    files: ['*.js', 'adapters', 'types'],
    sideEffects: false,
    dependencies: rangesOf([...imported].filter((name) => !ADAPTERS.includes(name))),
    peerDependencies: PEERS,
    peerDependenciesMeta: Object.fromEntries(ADAPTERS.map((name) => [name, { optional: true }])),
  };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

function packageOf(path: string): string {
  return path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/');
}
