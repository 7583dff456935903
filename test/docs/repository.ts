import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

const FOLDERS = ['.ci', 'bench', 'cdk', 'client', 'docs', 'functions', 'local', 'packages', 'test'];

export interface RepositoryFile {
  /** The path from the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Paths of all files of the repository, as they are in the working tree, and of the folders that hold them. */
export function pathsOfRepository(): readonly string[] {
  const atTop = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isFile());
  const below = FOLDERS.flatMap((folder) => [folder, ...pathsUnder(folder)]);
  return [...atTop.map(({ name }) => name), ...below];
}

function pathsUnder(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.name === 'node_modules') return [];
    return entry.isDirectory() ? [path, ...pathsUnder(path)] : [path];
  });
}

/** The files whose name matches, read. */
export function readFiles(name: RegExp): readonly RepositoryFile[] {
  return pathsOfRepository()
    .filter((path) => name.test(path))
    .map((path) => ({ path, text: readPage(path) }));
}

/** The text of one file, by its path from the root. */
export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
