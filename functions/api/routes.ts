import type { Connection } from '../core/slot/connection.ts';

/** A function behind the API, by the name of its folder. */
export type ApiFunctionName = 'token' | 'connections' | 'proxy' | 'exchange';

/** A route of the API, and the function that serves it. */
export interface ApiRoute {
  /** A method, or `ANY` for every one that the resource has no other route for. */
  readonly method: 'ANY' | 'DELETE' | 'GET' | 'POST';
  /** Path as API Gateway writes it, with `{parameter}` for a segment and `{parameter+}` for the rest. */
  readonly resource: string;
  readonly function: ApiFunctionName;
  /** Isolation group of the `proxy` function. */
  readonly isolation?: string;
  readonly authorization: 'AWS_IAM' | 'NONE';
}

/** The stage of the REST API: the first segment of every URL that API Gateway gives. */
export const STAGE = 'v1';

/**
 * Beginning of the proxy's resources. The subject is the first part of `{path+}` and has no resource of its own, so that
 * a connection takes two of the 300 resources of an API.
 */
export const PROXY = '/proxy/';

/** Path of the exchange, which is there only where a workload is trusted. */
export const EXCHANGE = '/oauth2/token';

/**
 * Routes of the API, the same deployed and on loopback. Beside each resource's methods an `ANY` route answers 405, and
 * every other path answers 404, so that API Gateway itself answers only requests that are unsigned or refused. Paths are
 * chosen so that `*` in an IAM resource never grants more than it reads.
 */
export const apiRoutes: readonly ApiRoute[] = [
  { method: 'GET', resource: '/tokens/{connection}/{subject}', function: 'token', authorization: 'AWS_IAM' },
  { method: 'POST', resource: '/tokens/{connection}/{subject}', function: 'token', authorization: 'AWS_IAM' },
  { method: 'DELETE', resource: '/tokens/{connection}/{subject}', function: 'connections', authorization: 'AWS_IAM' },
  { method: 'ANY', resource: '/tokens/{connection}/{subject}', function: 'connections', authorization: 'AWS_IAM' },
  { method: 'GET', resource: '/connections', function: 'connections', authorization: 'AWS_IAM' },
  { method: 'ANY', resource: '/connections', function: 'connections', authorization: 'AWS_IAM' },
  { method: 'GET', resource: '/connections/{connection}', function: 'connections', authorization: 'AWS_IAM' },
  { method: 'ANY', resource: '/connections/{connection}', function: 'connections', authorization: 'AWS_IAM' },
  { method: 'POST', resource: '/connections/{connection}/try', function: 'connections', authorization: 'AWS_IAM' },
  { method: 'ANY', resource: '/connections/{connection}/try', function: 'connections', authorization: 'AWS_IAM' },
  // Only for connections that have no route of their own, see `apiRoutesOf`: 404.
  {
    method: 'ANY',
    resource: `${PROXY}{connection}/{path+}`,
    function: 'connections',
    authorization: 'AWS_IAM',
  },
  // The one route without IAM: who comes here has no AWS identity, and brings a JWT that the function verifies.
  { method: 'POST', resource: EXCHANGE, function: 'exchange', authorization: 'NONE' },
  { method: 'ANY', resource: EXCHANGE, function: 'connections', authorization: 'AWS_IAM' },
  // What is left over: 404.
  { method: 'ANY', resource: '/', function: 'connections', authorization: 'AWS_IAM' },
  { method: 'ANY', resource: '/{path+}', function: 'connections', authorization: 'AWS_IAM' },
];

/**
 * All routes of a broker of this configuration. Each connection that declares a proxy has a route that names it, so that
 * the API itself sends the request to the function of its isolation group. The exchange is there only with `trust`.
 */
export function apiRoutesOf({
  connections,
  trust,
}: {
  readonly connections: Readonly<Record<string, Connection>>;
  readonly trust: readonly unknown[];
}): readonly ApiRoute[] {
  const proxied = Object.values(connections).filter(({ proxy }) => proxy !== undefined);
  return [
    ...apiRoutes.filter(({ resource }) => resource !== EXCHANGE || trust.length > 0),
    ...proxied.map(
      ({ name, isolation }): ApiRoute => ({
        method: 'ANY',
        resource: `${PROXY}${name}/{path+}`,
        function: 'proxy',
        isolation,
        authorization: 'AWS_IAM',
      }),
    ),
  ];
}

const PROXY_RESOURCE = /^\/proxy\/([^/{}]+)\//;

/** The connection that a resource of `apiRoutesOf` names; undefined for one with a parameter there. */
export function findResourceConnection(resource: string): string | undefined {
  return PROXY_RESOURCE.exec(resource)?.[1];
}

/** The methods that a resource of the API has, without `ANY`; none for what the API does not have. */
export function methodsOf(asked: string): readonly string[] {
  return apiRoutes.flatMap(({ method, resource }) => (resource === asked && method !== 'ANY' ? [method] : []));
}
