import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Answer, jsonAnswer, redirectAnswer } from './answer.ts';
import { helpmasterOpenapi } from './helpmaster-openapi.ts';
import type { DemoRequest } from './request.ts';

const contentTypes = {
  'index.css': 'text/css; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-16x16.png': 'image/png',
  'favicon-32x32.png': 'image/png',
} as const;

const INDEX_PATH = '/swagger/index.html';

const INDEX = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>HelpMaster WebAPI (demo)</title>
<link rel="stylesheet" href="./swagger-ui.css">
<link rel="stylesheet" href="./index.css">
<link rel="icon" type="image/png" href="./favicon-32x32.png" sizes="32x32">
</head>
<body>
<div id="swagger-ui"></div>
<script src="./swagger-ui-bundle.js"></script>
<script src="./start.js"></script>
</body>
</html>
`;

// No validator: it would send the document's address to a server elsewhere.
const START = `SwaggerUIBundle({
  url: './v1/swagger.json',
  dom_id: '#swagger-ui',
  presets: [SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
`;

/** Everything comes from this server, and nothing may be loaded from another. */
const pageHeaders = {
  'Content-Security-Policy': "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
};

/** Reports whether `path` belongs to the pages that need no token. */
export function isPage(path: string): boolean {
  return path === '/' || path === '/favicon.ico' || path === '/swagger' || path.startsWith('/swagger/');
}

/** Answers the Swagger UI of the demo HelpMaster, its files and its OpenAPI document (H18). */
export async function answerPage(request: DemoRequest): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return jsonAnswer(405, { message: 'Use GET.' }, { Allow: 'GET, HEAD' });
  }
  switch (request.path) {
    case '/':
      return redirectAnswer(302, '/swagger');
    case '/swagger':
    case '/swagger/':
      return redirectAnswer(302, INDEX_PATH);
    case '/favicon.ico':
      return redirectAnswer(302, '/swagger/favicon-32x32.png');
    case INDEX_PATH:
      return page('text/html; charset=utf-8', Buffer.from(INDEX));
    case '/swagger/start.js':
      return page('text/javascript; charset=utf-8', Buffer.from(START));
    case '/swagger/v1/swagger.json':
      return jsonAnswer(200, helpmasterOpenapi);
    default:
      return distFile(request.path.slice('/swagger/'.length));
  }
}

function page(contentType: string, body: Buffer): Answer {
  return { status: 200, headers: { 'Content-Type': contentType, ...pageHeaders }, body };
}

/** Only listed names are read, so no path can leave the folder. */
async function distFile(name: string): Promise<Answer> {
  const contentType = Object.entries(contentTypes).find(([listed]) => listed === name)?.[1];
  if (contentType === undefined) return jsonAnswer(404, { message: 'No such page.' });
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return page(contentType, await readFile(join(folder, name)));
}
