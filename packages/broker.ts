import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { buildFunctions } from '../cdk/build-functions.ts';
import { copySite } from '../client/dashboard/copy-site.ts';
import { SWAGGER_UI_FILES } from '../local/pages/swagger-ui.ts';
import { copyInto, writeDeclarations } from './declarations.ts';
import { manifestOf, rangesOf, root } from './manifest.ts';
import { buildNotices } from './notices.ts';
import { OLDER_NODE } from './older-node.ts';

const ENTRY = 'packages/broker/index.ts';
/** What is installed beside the package, in the version that its range gives. */
const DEPENDENCIES = ['dynalite', 'zod'];
const PEERS = { 'aws-cdk-lib': '^2.275.0', constructs: '^10.5.0' };

/** Options of both bundles. From the paths of this clone the files keep their places, so that they find each other. */
const shared = {
  absWorkingDir: root.folder,
  bundle: true,
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  define: {
    ...OLDER_NODE,
    TOKEN_BROKER_VERSION: JSON.stringify(root.version),
    TOKEN_BROKER_SWAGGER_UI: JSON.stringify('./swagger-ui/'),
  },
  inject: [join(root.folder, 'packages/older-node.ts')],
  external: [...DEPENDENCIES, ...Object.keys(PEERS)],
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions;

/** Builds the package of whoever deploys: the construct, the command line and the functions. */
export async function buildBroker(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const functions = await buildFunctions();
  const bundles = await Promise.all([buildConstruct(folder), buildProgram(folder)]);
  const imported = await writeDeclarations([ENTRY], join(folder, 'types'));
  for (const name of imported) {
    const known = [...shared.external].some((each) => name === each || name.startsWith(`${each}/`));
    if (!known) throw new Error(`The declarations import ${name}, which the package does not depend on.`);
  }
  await copyInto(folder, {
    'README.md': 'packages/broker/README.md',
    LICENSE: 'LICENSE',
    'dist/functions': 'dist/functions',
    'cdk.json': 'cdk.json',
    'connections.schema.json': 'connections.schema.json',
    ...Object.fromEntries(
      SWAGGER_UI_FILES.map((name) => [`local/swagger-ui/${name}`, `node_modules/swagger-ui-dist/${name}`]),
    ),
  });
  await copySite(join(folder, 'local'));
  const notices = await buildNotices([...functions, ...bundles], ['node_modules/swagger-ui-dist']);
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES'), notices);
  const types = './types/packages/broker/index.d.ts';
  const manifest = {
    ...manifestOf('broker', 'A serverless token broker: CDK construct, command line, and functions that come built.'),
    keywords: ['aws-cdk', 'oauth', 'token', 'lambda', 'secrets-manager'],
    main: './cdk/index.cjs',
    types,
    exports: {
      '.': {
        import: { types: './cdk/index.d.mts', default: './cdk/index.mjs' },
        require: { types, default: './cdk/index.cjs' },
      },
      './connections.schema.json': './connections.schema.json',
      './package.json': './package.json',
    },
    bin: { 'token-broker': './local/token-broker.mjs' },
    files: ['cdk', 'cdk.json', 'connections.schema.json', 'dist', 'local', 'types', 'THIRD-PARTY-NOTICES'],
    dependencies: rangesOf(DEPENDENCIES),
    peerDependencies: PEERS,
    // Who wants the command line alone needs neither.
    peerDependenciesMeta: Object.fromEntries(Object.keys(PEERS).map((name) => [name, { optional: true }])),
  };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** Bundles the construct once, as CommonJS, which every loader takes; for `import` there is a list of its names. */
async function buildConstruct(folder: string): Promise<Metafile> {
  const outfile = join(folder, 'cdk/index.cjs');
  const { metafile } = await build({
    ...shared,
    entryPoints: [ENTRY],
    outfile,
    format: 'cjs',
    define: { ...shared.define, 'import.meta.dirname': '__dirname' },
    // The address of a function's configuration, which is read in the function alone.
    logOverride: { 'empty-import-meta': 'silent' },
  });
  const required: Readonly<Record<string, unknown>> = await import(outfile);
  const names = Object.keys(required).filter((name) => !['default', 'module.exports'].includes(name));
  await writeFile(
    join(folder, 'cdk/index.mjs'),
    `import required from './index.cjs';\nexport const { ${names.join(', ')} } = required;\n`,
  );
  await writeFile(join(folder, 'cdk/index.d.mts'), "export * from '../types/packages/broker/index.js';\n");
  return metafile;
}

async function buildProgram(folder: string): Promise<Metafile> {
  const { metafile } = await build({
    ...shared,
    entryPoints: ['local/token-broker.ts', 'local/start.ts'],
    outdir: join(folder, 'local'),
    format: 'esm',
    splitting: true,
    outExtension: { '.js': '.mjs' },
    // For the CommonJS inside.
    banner: {
      js: "import { createRequire as createOwnRequire } from 'node:module';const require=createOwnRequire(import.meta.url);",
    },
  });
  await chmod(join(folder, 'local/token-broker.mjs'), 0o755);
  return metafile;
}
