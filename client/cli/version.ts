import { readFileSync } from 'node:fs';

/** Reads the version of the package that this file is in: the nearest `package.json` above it. */
export function readVersion(): string {
  for (let folder = new URL('./', import.meta.url); ; ) {
    const text = readText(new URL('package.json', folder));
    if (text !== undefined) return (JSON.parse(text) as { readonly version: string }).version;
    const above = new URL('../', folder);
    if (above.href === folder.href) return 'unknown';
    folder = above;
  }
}

function readText(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
