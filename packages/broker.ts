import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { buildFunctions } from '../cdk/build-functions.ts';
import { copySite } from '../client/dashboard/copy-site.ts';
import { CDK } from '../local/init.ts';
import { SWAGGER_UI_FILES } from '../local/pages/swagger-ui.ts';
import { copyInto, writeDeclarations } from './declarations.ts';
import { manifestOf, rangesOf, root } from './manifest.ts';
import { buildNotices } from './notices.ts';
import { OLDER_NODE } from './older-node.ts';

const requireBuilt = createRequire(import.meta.url);

/** The modules that `import` and `require` find, by their names in `packages/broker/`. */
const ENTRIES = ['index', 'connections'] as const;
/** What is installed beside the package, in the version that its range gives. */
const DEPENDENCIES = ['dynalite', 'zod'];
/** The folder of what CloudFormation replaces when which property changes, beside the programs. */
const SERVICE_SPEC = 'service-spec';

/** Options of both bundles. From the paths of this clone the files keep their places, so that they find each other. */
const shared = {
  absWorkingDir: root.folder,
  bundle: true,
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  define: {
    ...OLDER_NODE,
    // Hides the SDK's warning that its next version needs a newer Node: the package has this version inside.
    'process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED': JSON.stringify('true'),
    TOKEN_BROKER_VERSION: JSON.stringify(root.version),
    TOKEN_BROKER_SWAGGER_UI: JSON.stringify('./swagger-ui/'),
  },
  inject: [join(root.folder, 'packages/older-node.ts')],
  external: [...DEPENDENCIES, ...Object.keys(CDK)],
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
  const imported = await writeDeclarations(ENTRIES.map(sourceOf), join(folder, 'types'));
  for (const name of imported) {
    const known = [...shared.external].some((each) => name === each || name.startsWith(`${each}/`));
    if (!known) throw new Error(`The declarations import ${name}, which the package does not depend on.`);
  }
  await copyInto(folder, {
    'README.md': 'packages/broker/README.md',
    LICENSE: 'LICENSE',
    'local/app': 'local/app',
    [`local/${SERVICE_SPEC}/db.json.gz`]: 'node_modules/@aws-cdk/aws-service-spec/db.json.gz',
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
  const manifest = {
    ...manifestOf('broker', 'A serverless token broker: CDK construct, command line, and functions that come built.'),
    keywords: ['aws-cdk', 'oauth', 'token', 'lambda', 'secrets-manager'],
    main: './cdk/index.cjs',
    types: typesOf('index'),
    exports: {
      '.': exportOf('index'),
      './connections': exportOf('connections'),
      './connections.schema.json': './connections.schema.json',
      './package.json': './package.json',
    },
    bin: { 'token-broker': './local/token-broker.mjs' },
    files: ['cdk', 'cdk.json', 'connections.schema.json', 'dist', 'local', 'types', 'THIRD-PARTY-NOTICES'],
    dependencies: rangesOf(DEPENDENCIES),
    peerDependencies: CDK,
    // Who wants the command line alone needs neither.
    peerDependenciesMeta: Object.fromEntries(Object.keys(CDK).map((name) => [name, { optional: true }])),
  };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

function sourceOf(entry: string): string {
  return `packages/broker/${entry}.ts`;
}

function typesOf(entry: string): string {
  return `./types/packages/broker/${entry}.d.ts`;
}

function exportOf(entry: string) {
  return {
    import: { types: `./cdk/${entry}.d.mts`, default: `./cdk/${entry}.mjs` },
    require: { types: typesOf(entry), default: `./cdk/${entry}.cjs` },
  };
}

/** Bundles the construct once, as CommonJS, which every loader takes; for `import` there is a list of its names. */
async function buildConstruct(folder: string): Promise<Metafile> {
  const { metafile } = await build({
    ...shared,
    entryPoints: ENTRIES.map(sourceOf),
    outdir: join(folder, 'cdk'),
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: { ...shared.define, 'import.meta.dirname': '__dirname' },
    // The address of a function's configuration, which is read in the function alone.
    logOverride: { 'empty-import-meta': 'silent' },
  });
  for (const entry of ENTRIES) {
    const required: Readonly<Record<string, unknown>> = requireBuilt(join(folder, `cdk/${entry}.cjs`));
    const names = Object.keys(required).filter((name) => !['default', 'module.exports'].includes(name));
    const list = `import required from './${entry}.cjs';\nexport const { ${names.join(', ')} } = required;\n`;
    await writeFile(join(folder, `cdk/${entry}.mjs`), list);
    await writeFile(
      join(folder, `cdk/${entry}.d.mts`),
      `export * from '.${typesOf(entry).replace(/d\.ts$/, 'js')}';\n`,
    );
  }
  return metafile;
}

/** Bundles the command line and `npm start`. */
export async function buildProgram(folder: string): Promise<Metafile> {
  const { metafile } = await build({
    ...shared,
    entryPoints: ['local/token-broker.ts', 'local/start.ts'],
    outdir: join(folder, 'local'),
    // zod is inside: from its own package every command would load all of it, with its messages in every language.
    external: shared.external.filter((name) => name !== 'zod'),
    format: 'esm',
    splitting: true,
    outExtension: { '.js': '.mjs' },
    // For the CommonJS inside, of which one part looks for its data above its own folder.
    banner: {
      js: `import { createRequire as createOwnRequire } from 'node:module';const require=createOwnRequire(import.meta.url),commonJsFolder=import.meta.dirname+'/${SERVICE_SPEC}/lib';`,
    },
    define: { ...shared.define, __dirname: 'commonJsFolder' },
  });
  await chmod(join(folder, 'local/token-broker.mjs'), 0o755);
  return metafile;
}
