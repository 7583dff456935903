import { paths } from './operations.ts';
import { componentExamples, componentResponses } from './problems.ts';
import { componentSchemas, type JsonSchema } from './schemas.ts';

/** OpenAPI 3.1 document; OpenAPI itself describes its members. */
export interface OpenapiDocument {
  readonly openapi: string;
  readonly info: JsonSchema;
  readonly paths: Readonly<Record<string, JsonSchema>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, JsonSchema>>;
    readonly examples: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: JsonSchema;
  };
  readonly [member: string]: unknown;
}

const INTRODUCTION = `Other services make one signed HTTPS call and get a token that works, for an API whose login is "credential in, token out", without ever holding the credential.

Requests are signed with AWS Signature Version 4 for service \`execute-api\`. On \`npm start\` they need no signature, unless it runs with \`--require-sigv4\`.

Errors are RFC 9457 \`application/problem+json\`. Branch on \`code\`; the schema \`Problem\` lists what each means and what to do. A path that is not here answers 404 \`not_found\`, another method 405 \`method_not_allowed\` with \`Allow\`; where API Gateway answers by itself, it does so in the same shape.`;

/** Builds the API's OpenAPI 3.1 document from the schemas and tables that the functions themselves use. */
export function openapiDocument(): OpenapiDocument {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Token broker',
      version: '1',
      summary: 'Short-lived tokens of upstream APIs, for callers that never hold the credential.',
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      { url: '/', description: 'npm start: the server that this document came from' },
      {
        url: 'https://{api}.execute-api.{region}.amazonaws.com/v1',
        description: 'deployed',
        variables: {
          api: { default: 'a1b2c3d4e5', description: 'The API’s id, an output of the stack.' },
          region: { default: 'us-east-1' },
        },
      },
    ],
    security: [{ sigV4: [] }],
    tags: [
      { name: 'Tokens', description: 'Get a token, and say when one is dead.' },
      { name: 'Proxy', description: 'Call the upstream without seeing a token.' },
      { name: 'Operators', description: 'See what the broker holds, and make it forget.' },
    ],
    paths,
    components: {
      schemas: componentSchemas(),
      responses: componentResponses(),
      examples: componentExamples(),
      securitySchemes: {
        sigV4: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'AWS Signature Version 4 for service `execute-api`. Leave it empty on `npm start`.',
          'x-amazon-apigateway-authtype': 'awsSigv4',
        },
      },
    },
  };
}
