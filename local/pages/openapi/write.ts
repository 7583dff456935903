import { writeFile } from 'node:fs/promises';
import { openapiDocument } from './document.ts';

/** File that `npm run openapi` writes, for tools that read the document from the repository. */
const FILE = new URL('../../../openapi.json', import.meta.url);

await writeFile(FILE, `${JSON.stringify(openapiDocument(), undefined, 2)}\n`);
