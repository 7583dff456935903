import { SWAGGER_UI_POLICY, swaggerUiFile, swaggerUiIndex, swaggerUiStart } from '../pages/swagger-ui.ts';
import { type Answer, jsonAnswer, redirectAnswer } from './answer.ts';
import { helpmasterOpenapi } from './helpmaster-openapi.ts';
import type { DemoRequest } from './request.ts';

const INDEX_PATH = '/swagger/index.html';

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
      return page('text/html; charset=utf-8', swaggerUiIndex({ title: 'HelpMaster WebAPI (demo)', folder: '.' }));
    case '/swagger/start.js':
      return page('text/javascript; charset=utf-8', swaggerUiStart('./v1/swagger.json'));
    case '/swagger/v1/swagger.json':
      return jsonAnswer(200, helpmasterOpenapi);
    default:
      return distFile(request.path.slice('/swagger/'.length));
  }
}

function page(contentType: string, body: string | Buffer): Answer {
  return {
    status: 200,
    headers: { 'Content-Type': contentType, 'Content-Security-Policy': SWAGGER_UI_POLICY },
    body: Buffer.from(body),
  };
}

async function distFile(name: string): Promise<Answer> {
  const file = await swaggerUiFile(name);
  return file === undefined ? jsonAnswer(404, { message: 'No such page.' }) : page(file.contentType, file.bytes);
}
