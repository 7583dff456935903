import type { APIGatewayProxyEventV2WithIAMAuthorizer } from 'aws-lambda';
import type { Connection } from '../core/slot/connection.ts';
import { BrokerError } from '../core/words/errors.ts';
import { findRouteConnection } from './routes.ts';

export type ApiEvent = APIGatewayProxyEventV2WithIAMAuthorizer;

/** The form of `min_ttl`. */
export const SECONDS_PATTERN = /^[0-9]{1,9}$/;

/**
 * Gives the ARN of the IAM principal that signed the request. Throws `forbidden` where API Gateway did not verify one, so
 * that a route deployed without authorization still hands out nothing.
 */
export function requireCaller(event: ApiEvent): string {
  const arn = event.requestContext.authorizer?.iam?.userArn;
  if (typeof arn !== 'string' || arn === '') {
    throw new BrokerError(
      'forbidden',
      'The request has no caller identity. Sign it with SigV4 for service execute-api.',
    );
  }
  return arn;
}

const GREEDY = /\{\w+\+\}$/;

/**
 * Throws `not_found` unless the path is the route's own with its parameters in place, to the character: IAM has judged
 * the path, and the function goes by the parameters.
 */
export function assertExactPath({ rawPath, routeKey, pathParameters = {}, requestContext: { stage } }: ApiEvent): void {
  if (routeKey === '$default') return;
  const path = stage === '$default' ? rawPath : rawPath.replace(`/${stage}/`, '/');
  const route = routeKey.slice(routeKey.indexOf(' ') + 1);
  const expected = route.replace(GREEDY, '').replace(/\{(\w+)\}/g, (_, name: string) => pathParameters[name] ?? '');
  const rest = path.slice(expected.length);
  const isWhole = GREEDY.test(route) ? rest === (pathParameters['path'] ?? '') : rest === '' && !/[?#]/.test(path);
  if (path.startsWith(expected) && isWhole) return;
  throw new BrokerError('not_found', 'There is no such path: it must be the route’s own, to the character.');
}

/** Finds the connection that the path names, as a parameter or in the route itself. Throws `unknown_connection`. */
export function requireConnection(event: ApiEvent, connections: Readonly<Record<string, Connection>>): Connection {
  const name = event.pathParameters?.['connection'] ?? findRouteConnection(event.routeKey) ?? '';
  const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
  if (connection === undefined) {
    throw new BrokerError('unknown_connection', 'There is no connection of this name. GET /connections lists them.');
  }
  return connection;
}

/** Parses the `min_ttl` of the query, in seconds. Throws `invalid_request` for anything but one whole number. */
export function parseMinTtl(event: ApiEvent): number | undefined {
  const text = event.queryStringParameters?.['min_ttl'];
  if (text === undefined) return undefined;
  if (!SECONDS_PATTERN.test(text)) {
    throw new BrokerError('invalid_request', 'min_ttl must be given once, as a whole number of seconds: min_ttl=300.');
  }
  return Number(text);
}
