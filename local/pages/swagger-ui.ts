import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Content and type of a served file. */
export interface ServedFile {
  readonly contentType: string;
  readonly bytes: Buffer;
}

const contentTypes: Readonly<Record<string, string>> = {
  'index.css': 'text/css; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-16x16.png': 'image/png',
  'favicon-32x32.png': 'image/png',
};

/** Folder of these files beside a bundle, which has it in place of this name. */
declare const TOKEN_BROKER_SWAGGER_UI: string | undefined;

/** Names of the files that `swaggerUiFile` serves. */
export const SWAGGER_UI_FILES: readonly string[] = Object.keys(contentTypes);

/** Content security policy: only the page's own server, and inline styles, which Swagger UI uses. */
export const SWAGGER_UI_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Reads a file of Swagger UI's package. Undefined unless the name is listed, so that no path can leave the folder. */
export async function swaggerUiFile(name: string): Promise<ServedFile | undefined> {
  const contentType = Object.hasOwn(contentTypes, name) ? contentTypes[name] : undefined;
  if (contentType === undefined) return undefined;
  const folder =
    typeof TOKEN_BROKER_SWAGGER_UI === 'string'
      ? fileURLToPath(new URL(TOKEN_BROKER_SWAGGER_UI, import.meta.url))
      : dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return { contentType, bytes: await readFile(join(folder, name)) };
}

/** Builds the page of Swagger UI. `folder` holds its files and `start.js`, relative to the page. */
export function swaggerUiIndex({ title, folder }: { readonly title: string; readonly folder: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="${folder}/swagger-ui.css">
<link rel="stylesheet" href="${folder}/index.css">
<link rel="icon" type="image/png" href="${folder}/favicon-32x32.png" sizes="32x32">
</head>
<body>
<div id="swagger-ui"></div>
<script src="${folder}/swagger-ui-bundle.js"></script>
<script src="${folder}/start.js"></script>
</body>
</html>
`;
}

/**
 * Builds the script that starts Swagger UI on the document at `url`, dark where the reader's system is. `settings` are
 * further options of Swagger UI.
 */
export function swaggerUiStart(url: string, settings: Readonly<Record<string, unknown>> = {}): string {
  // No validator: it would send the document's address to an external server.
  const options = JSON.stringify({ url, dom_id: '#swagger-ui', validatorUrl: null, ...settings }, undefined, 2);
  return `const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
SwaggerUIBundle({ presets: [SwaggerUIBundle.presets.apis], ...${options} });
`;
}
