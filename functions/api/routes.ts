import type { Connection } from '../core/slot/connection.ts';

/** A function behind the API, by the name of its folder. */
export type ApiFunctionName = 'token' | 'connections' | 'proxy' | 'exchange';

export interface ApiRoute {
  /** Key of payload format 2.0: a method, or `ANY`, and a path; or `$default`. */
  readonly routeKey: string;
  readonly function: ApiFunctionName;
  /** Isolation group of the `proxy` function. */
  readonly isolation?: string;
  readonly authorization: 'AWS_IAM' | 'NONE';
}

/**
 * The routes of the HTTP API, the same deployed and on loopback. Beside each path's methods an `ANY` route answers 405,
 * and `$default` answers 404, so that every answer is ours. Paths were chosen so that `*` in an IAM resource never
 * grants more than it reads.
 */
export const apiRoutes: readonly ApiRoute[] = [
  { routeKey: 'GET /tokens/{connection}/{subject}', function: 'token', authorization: 'AWS_IAM' },
  { routeKey: 'POST /tokens/{connection}/{subject}', function: 'token', authorization: 'AWS_IAM' },
  { routeKey: 'DELETE /tokens/{connection}/{subject}', function: 'connections', authorization: 'AWS_IAM' },
  { routeKey: 'ANY /tokens/{connection}/{subject}', function: 'connections', authorization: 'AWS_IAM' },
  { routeKey: 'GET /connections', function: 'connections', authorization: 'AWS_IAM' },
  { routeKey: 'ANY /connections', function: 'connections', authorization: 'AWS_IAM' },
  { routeKey: 'GET /connections/{connection}', function: 'connections', authorization: 'AWS_IAM' },
  { routeKey: 'ANY /connections/{connection}', function: 'connections', authorization: 'AWS_IAM' },
  { routeKey: 'POST /connections/{connection}/try', function: 'connections', authorization: 'AWS_IAM' },
  { routeKey: 'ANY /connections/{connection}/try', function: 'connections', authorization: 'AWS_IAM' },
  // Only for connections that have no route of their own, see `apiRoutesOf`: 404.
  { routeKey: 'ANY /proxy/{connection}/{subject}/{path+}', function: 'connections', authorization: 'AWS_IAM' },
  // The one route without IAM: who comes here has no AWS identity, and brings a JWT that the function verifies.
  { routeKey: 'POST /oauth2/token', function: 'exchange', authorization: 'NONE' },
  { routeKey: 'ANY /oauth2/token', function: 'connections', authorization: 'AWS_IAM' },
  { routeKey: '$default', function: 'connections', authorization: 'AWS_IAM' },
];

/**
 * All routes of a broker with these connections. Each that declares a proxy has a route that names it, so that the API
 * itself sends the request to the function of its isolation group.
 */
export function apiRoutesOf(connections: Readonly<Record<string, Connection>>): readonly ApiRoute[] {
  const proxied = Object.values(connections).filter(({ proxy }) => proxy !== undefined);
  return [
    ...apiRoutes,
    ...proxied.map(
      ({ name, isolation }): ApiRoute => ({
        routeKey: `ANY /proxy/${name}/{subject}/{path+}`,
        function: 'proxy',
        isolation,
        authorization: 'AWS_IAM',
      }),
    ),
  ];
}

const PROXY_ROUTE = /^ANY \/proxy\/([^/{}]+)\//;

/** The connection that a route of `apiRoutesOf` names in its path; undefined for a route with a parameter there. */
export function findRouteConnection(routeKey: string): string | undefined {
  return PROXY_ROUTE.exec(routeKey)?.[1];
}

/** The methods that a path of the API has, without `ANY`; none for a path that the API does not have. */
export function methodsOf(path: string): readonly string[] {
  return apiRoutes.flatMap(({ routeKey }) => {
    const [method, routePath] = routeKey.split(' ');
    return routePath === path && method !== undefined && method !== 'ANY' ? [method] : [];
  });
}
