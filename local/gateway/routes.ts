import type { ApiRoute } from '../../functions/api/routes.ts';
import type { LocalFunction } from '../lambda/invoke.ts';

/** Route of the REST API and its function. */
export interface GatewayRoute extends LocalFunction {
  /** A method, or `ANY` for every one that the resource has no other route for. */
  readonly method: string;
  /** `/path/{parameter}/{rest+}` */
  readonly resource: string;
  readonly functionName: string;
  readonly authorization: ApiRoute['authorization'];
}

/** Route of a request and its path parameters as they were sent; `undefined` if the route has none. */
export interface RouteMatch {
  readonly route: GatewayRoute;
  readonly pathParameters: Record<string, string> | undefined;
}

/** Finds the route for a method and a path as sent, without the stage; `undefined` if there is none. */
export type Router = (method: string, path: string) => RouteMatch | undefined;

interface PreparedResource {
  readonly path: RegExp;
  /** Order of choice, from "0" for a literal segment to "2" for a greedy parameter. */
  readonly rank: string;
  readonly byMethod: ReadonlyMap<string, GatewayRoute>;
}

/** The methods of a REST API. */
const METHODS: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);
const RESOURCE = /^\/[^\s+]*(?:\+\})?$/;
const PARAMETER = /^\{([A-Za-z_]\w*)(\+?)\}$/;

/**
 * Creates a router from a route table.
 *
 * Chooses as a REST API does: a full match before a greedy one, a longer greedy one before a shorter, a literal segment
 * before a parameter; then of the resource's methods the one by name before `ANY`, which stands for the seven methods of
 * a REST API and for no other (its developer guide, "Set up a method"). The path is split at "/" as it was sent: `..`,
 * `//` and a trailing slash are literal, and an empty segment fills no parameter.
 *
 * Throws for a route that is malformed or given twice.
 */
export function createRouter(routes: readonly GatewayRoute[]): Router {
  const byResource = Map.groupBy(routes, ({ resource }) => resource);
  const resources = [...byResource].map(([resource, own]) => prepare(resource, own));
  resources.sort((a, b) => (a.rank < b.rank ? -1 : 1));

  return (method, path) => {
    if (!METHODS.has(method)) return undefined;
    for (const { path: pattern, byMethod } of resources) {
      const match = pattern.exec(path);
      if (match === null) continue;
      const route = byMethod.get(method) ?? byMethod.get('ANY');
      return route && { route, pathParameters: match.groups && { ...match.groups } };
    }
    return undefined;
  };
}

function prepare(resource: string, routes: readonly GatewayRoute[]): PreparedResource {
  const odd = routes.find(({ method }) => method !== 'ANY' && !METHODS.has(method));
  if (odd !== undefined) throw new Error(`the route ${odd.method} ${resource} has a method that no REST API knows`);
  if (!RESOURCE.test(resource)) throw new Error(`"${resource}" is no path, or has a greedy parameter before its end`);
  const byMethod = new Map(routes.map((route) => [route.method, route]));
  if (byMethod.size < routes.length) throw new Error(`a method of ${resource} is given twice`);
  const segments = resource.slice(1).split('/');
  const parts = segments.map((text) => {
    const [, name, plus] = PARAMETER.exec(text) ?? [];
    if (name === undefined) return { rank: '0', pattern: RegExp.escape(text) };
    if (plus === '') return { rank: '1', pattern: `(?<${name}>[^/]+)` };
    // What is left over has every path, `//` too.
    return { rank: '2', pattern: segments.length === 1 ? `(?<${name}>.+)` : `(?<${name}>[^/].*)` };
  });
  // Among greedy routes the one with more segments comes first.
  const ranks = parts.map(({ rank }) => rank).join('');
  const greediness = ranks.endsWith('2') ? `1${String(999 - ranks.length)}` : '0';
  return {
    path: new RegExp(`^/${parts.map(({ pattern }) => pattern).join('/')}$`, 's'),
    rank: `${greediness} ${ranks}`,
    byMethod,
  };
}
