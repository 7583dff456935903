import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';

/** A path in quotes that begins where the file is: what a module imports or reads, and a schema or certificate in JSON. */
const NAMED = /(['"`])(\.{1,2}\/[^'"`\n]+)\1/g;
const NAMES_OTHERS = /\.(?:json|[cm]?[jt]s)$/;
const MOST_FILES = 200;

/**
 * Finds the files that decide what a connections file declares: itself, each that it names by a path from its own folder,
 * and what those name. One that is not there yet is among them; what is installed, and folders, are not.
 */
export function findNamedFiles(file: string): readonly string[] {
  const found = new Set([resolve(file)]);
  for (const each of found) {
    if (!NAMES_OTHERS.test(each)) continue;
    for (const [, , path = ''] of readText(each).matchAll(NAMED)) {
      const named = join(dirname(each), path);
      const isOwn = !named.includes(`${sep}node_modules${sep}`) && !isFolder(named);
      if (isOwn && found.size < MOST_FILES) found.add(named);
    }
  }
  return [...found];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
