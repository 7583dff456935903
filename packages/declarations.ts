import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { root } from './manifest.ts';

const run = promisify(execFile);
const RELATIVE = /(from |import\()(['"])(\.{1,2}\/[^'"]+)\.ts\2/g;

/**
 * Writes the declarations that the entries need, and no others, into `folder`, by their paths from the root. Their
 * imports end in `.js`, which every resolution of TypeScript's takes. Gives the packages that they import.
 */
export async function writeDeclarations(entries: readonly string[], folder: string): Promise<ReadonlySet<string>> {
  const scratch = await mkdtemp(join(root.folder, 'dist/declarations-'));
  try {
    const project = join(scratch, 'tsconfig.json');
    const compilerOptions = {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: root.folder,
      outDir: join(scratch, 'all'),
    };
    await writeFile(
      project,
      JSON.stringify({
        extends: join(root.folder, 'tsconfig.json'),
        compilerOptions,
        include: [],
        files: entries.map((entry) => join(root.folder, entry)),
      }),
    );
    await run(process.execPath, [join(root.folder, 'node_modules/typescript/bin/tsc'), '-p', project], {
      cwd: root.folder,
    });
    return await takeNeeded(entries, join(scratch, 'all'), folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function takeNeeded(entries: readonly string[], from: string, to: string): Promise<ReadonlySet<string>> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const left = entries.map((entry) => join(from, entry.replace(/\.ts$/, '.d.ts')));
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = await readFile(file, 'utf8');
    for (const [, , , path = ''] of text.matchAll(RELATIVE)) left.push(join(dirname(file), `${path}.d.ts`));
    for (const [, name = ''] of text.matchAll(/(?:from |import\()['"]([^.'"][^'"]*)['"]/g)) packages.add(name);
    const target = join(to, relative(from, file));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text.replaceAll(RELATIVE, '$1$2$3.js$2'));
  }
  return packages;
}

/** Copies files into a folder, each under its own name or another. */
export async function copyInto(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, from] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await cp(join(root.folder, from), join(folder, name), { recursive: true });
  }
}
