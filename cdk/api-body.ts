import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { gatewayAnswers, writeGatewayAnswer } from '../functions/api/gateway-responses.ts';
import type { ApiRoute } from '../functions/api/routes.ts';

/** Milliseconds that API Gateway waits for a function, above the function's own 27 s (invariant 14). */
const INTEGRATION_TIMEOUT_MS = 29_000;

const IAM = { awsSigv4: [] };
const PARAMETER = /\{(\w+)\+?\}/g;

/**
 * Builds the document that a REST API is made from: every route with its function, IAM on all but those that the table
 * opens, every body as bytes, and API Gateway's own answers in the broker's shape. The answers are part of the document, not
 * resources beside it: an import of the document removes whatever it does not hold.
 */
export function buildApiBody(
  scope: Construct,
  {
    broker,
    routes,
    functionArnOf,
  }: {
    readonly broker: string;
    readonly routes: readonly ApiRoute[];
    /** The ARN of the function that serves a route. */
    readonly functionArnOf: (route: ApiRoute) => string;
  },
) {
  const { partition, region } = Stack.of(scope);

  function operationOf(route: ApiRoute) {
    return {
      parameters: [...route.resource.matchAll(PARAMETER)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      responses: {},
      security: route.authorization === 'AWS_IAM' ? [IAM] : [],
      'x-amazon-apigateway-integration': {
        type: 'aws_proxy',
        httpMethod: 'POST',
        uri: `arn:${partition}:apigateway:${region}:lambda:path/2015-03-31/functions/${functionArnOf(route)}/invocations`,
        passthroughBehavior: 'when_no_match',
        timeoutInMillis: INTEGRATION_TIMEOUT_MS,
      },
    };
  }

  const byResource = Map.groupBy(routes, ({ resource }) => resource);
  const paths = [...byResource].map(([resource, own]) => [
    resource,
    Object.fromEntries(own.map((route) => [methodKeyOf(route), operationOf(route)])),
  ]);
  return {
    openapi: '3.0.1',
    info: { title: broker, version: '1' },
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: {
        awsSigv4: {
          type: 'apiKey',
          name: 'Authorization',
          in: 'header',
          'x-amazon-apigateway-authtype': 'awsSigv4',
        },
      },
    },
    'x-amazon-apigateway-binary-media-types': ['*/*'],
    'x-amazon-apigateway-gateway-responses': Object.fromEntries(
      Object.keys(gatewayAnswers).map((type) => [type, gatewayResponseOf(type as keyof typeof gatewayAnswers)]),
    ),
  };
}

function methodKeyOf({ method }: ApiRoute): string {
  return method === 'ANY' ? 'x-amazon-apigateway-any-method' : method.toLowerCase();
}

function gatewayResponseOf(type: keyof typeof gatewayAnswers) {
  const { status, headers, body } = writeGatewayAnswer(type, '$context.requestId');
  return {
    ...(status === undefined ? {} : { statusCode: String(status) }),
    responseParameters: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [`gatewayresponse.header.${name}`, `'${value}'`]),
    ),
    responseTemplates: { 'application/json': JSON.stringify(body) },
  };
}
