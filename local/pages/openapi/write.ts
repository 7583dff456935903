import { writeFile } from 'node:fs/promises';
import { openapiDocument } from './document.ts';

/** Where `npm run openapi` puts the document, for tools that read it from the repository. */
const FILE = new URL('../../../openapi.json', import.meta.url);

await writeFile(FILE, `${JSON.stringify(openapiDocument(), undefined, 2)}\n`);
