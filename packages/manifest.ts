import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const folder = join(import.meta.dirname, '..');

const manifestSchema = z.object({
  version: z.string(),
  license: z.string(),
  repository: z.object({ type: z.string(), url: z.string() }),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});

/** The manifest of the clone. */
export const root = {
  folder,
  ...manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))),
};

/** The scope of the packages. */
const SCOPE = '@token-broker';

/** Node 20.19 is the first of its line in which CommonJS may require an ES module. */
const ENGINES = { node: '>=20.19' };

/** Gives what the manifests of both packages have in common. */
export function manifestOf(name: 'broker' | 'client', description: string) {
  const { version, license, repository } = root;
  return { name: `${SCOPE}/${name}`, version, description, license, repository, engines: ENGINES };
}

/** Gives ranges of packages: from the version that the broker is tested with. Throws for one that is not in the clone. */
export function rangesOf(names: Iterable<string>): Readonly<Record<string, string>> {
  const versions: Readonly<Record<string, string>> = { ...root.devDependencies, ...root.dependencies };
  return Object.fromEntries(
    [...names].sort().map((name) => {
      const version = versions[name];
      if (version === undefined) throw new Error(`${name} is no dependency of this clone.`);
      return [name, `^${version}`];
    }),
  );
}
