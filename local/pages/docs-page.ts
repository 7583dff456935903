import { sendFile } from '../../client/dashboard/site-files.ts';
import type { LocalPage } from '../gateway/gateway.ts';
import { openapiDocument } from './openapi/document.ts';

import { SWAGGER_UI_FILES, SWAGGER_UI_POLICY, swaggerUiFile, swaggerUiIndex, swaggerUiStart } from './swagger-ui.ts';

const INDEX = swaggerUiIndex({ title: 'Token broker: its API', folder: './docs' });
const START = swaggerUiStart('./openapi.json', {
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});

/** Creates the pages of the OpenAPI document, `/openapi.json`, and of Swagger UI, `/docs`, with all of its files. */
export function docsPages(): ReadonlyMap<string, LocalPage> {
  const text =
    (contentType: string, body: string): LocalPage =>
    (_request, response) =>
      sendFile(response, { contentType, bytes: Buffer.from(body), policy: SWAGGER_UI_POLICY });

  const document = `${JSON.stringify(openapiDocument(), undefined, 2)}\n`;
  const files = SWAGGER_UI_FILES.map((name): [string, LocalPage] => [
    `GET /docs/${name}`,
    async (_request, response) => {
      const file = await swaggerUiFile(name);
      if (file !== undefined) sendFile(response, { ...file, policy: SWAGGER_UI_POLICY });
    },
  ]);
  return new Map([
    ['GET /openapi.json', text('application/json', document)],
    ['GET /docs', text('text/html; charset=utf-8', INDEX)],
    ['GET /docs/start.js', text('text/javascript; charset=utf-8', START)],
    ...files,
  ]);
}
