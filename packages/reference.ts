import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGES } from './build.ts';
import { root } from './manifest.ts';

const run = promisify(execFile);
const TOOLS = join(root.folder, 'dist/reference-tools');
const OUTPUT = join(root.folder, 'dist/reference');

/** The modules of each package that are documented, by their declarations, and the types that need no name of their own. */
const packages = {
  broker: {
    modules: ['packages/broker/index'],
    // The settings of each provider, which `ConnectionDeclaration` spells out.
    unnamed: ['OwnDeclaration'],
  },
  client: {
    modules: ['client/index', 'client/adapters/axios', 'client/adapters/got', 'client/adapters/undici'],
    // Schemas, which the types spell out; parts of the libraries that adapters fit; and options of an error's maker.
    unnamed: [
      ...['statusSchema', 'connectionSchema', 'slotSchema', 'handOutSchema'],
      ...['DispatchLike', 'ResponseLike', 'OptionsLike', 'TokenBrokerErrorOptions'],
    ],
  },
} as const;

/**
 * Writes the reference of both packages, as they were built, into `dist/reference/`. Throws where a type that people meet
 * is not among what the package exports.
 */
async function writeReference(): Promise<void> {
  await mkdir(TOOLS, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    await cp(join(root.folder, 'packages/reference', file), join(TOOLS, file));
  }
  const words = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', words, { cwd: TOOLS, shell: process.platform === 'win32' });
  for (const [name, { modules, unnamed }] of Object.entries(packages)) await document(name, modules, unnamed);
}

async function document(name: string, modules: readonly string[], unnamed: readonly string[]): Promise<void> {
  const files = modules.map((module) => `types/${module}.d.ts`);
  const folder = join(PACKAGES, name);
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2024', lib: ['es2024', 'dom'], strict: true, noEmit: true, skipLibCheck: true },
    types: ['node'],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const options = {
    entryPoints: files,
    name: `@token-broker/${name}`,
    readme: 'README.md',
    out: join(OUTPUT, name),
    excludeExternals: true,
    excludePrivate: true,
    disableSources: true,
    hideGenerator: true,
    treatWarningsAsErrors: true,
    intentionallyNotExported: unnamed,
    validation: { notExported: true, invalidLink: true },
  };
  await writeFile(join(folder, 'typedoc.json'), JSON.stringify(options));
  const { stdout } = await run(process.execPath, [join(TOOLS, 'node_modules/typedoc/bin/typedoc')], {
    cwd: folder,
    maxBuffer: 10_000_000,
  }).catch((error: unknown) => {
    const { stderr = '' } = error as { readonly stderr?: string };
    throw new Error(`The reference of ${name} is not whole:\n${stderr}`);
  });
  process.stdout.write(stdout);
}

if (import.meta.main) await writeReference();
