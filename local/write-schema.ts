import { writeFile } from 'node:fs/promises';
import { buildConnectionsSchema } from './connections-schema.ts';

/** Writes the JSON Schema of a connections file into the repository. */
await writeFile(
  new URL('../connections.schema.json', import.meta.url),
  `${JSON.stringify(buildConnectionsSchema(), undefined, 2)}\n`,
);
