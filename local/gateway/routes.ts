import type { LocalFunction } from '../lambda/invoke.ts';

/** Route of the HTTP API and its function. */
export interface GatewayRoute extends LocalFunction {
  /** `METHOD /path/{parameter}/{rest+}`, with `ANY` for every method, or `$default`. */
  readonly routeKey: string;
  readonly functionName: string;
  readonly authorization: 'AWS_IAM' | 'NONE';
}

/** Route of a request and its path parameters, percent-decoded; `undefined` if the route has none. */
export interface RouteMatch {
  readonly route: GatewayRoute;
  readonly pathParameters: Record<string, string> | undefined;
}

/** Finds the route for a method and a path as sent; `undefined` if there is none and no `$default`. */
export type Router = (method: string, rawPath: string) => RouteMatch | undefined;

interface PreparedRoute {
  readonly route: GatewayRoute;
  readonly method: string;
  readonly path: RegExp;
  /** Order of choice, from "0" for a literal segment to "2" for a greedy parameter. */
  readonly rank: string;
}

const ROUTE_KEY = /^(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) (\/[^\s+]*(?:\+\})?)$/;
const PARAMETER = /^\{([A-Za-z_]\w*)(\+?)\}$/;

/**
 * Creates a router from a route table.
 *
 * Chooses as the HTTP API does: a full match before a greedy one, a longer greedy one before a shorter, a literal
 * segment before a parameter, the method by name before `ANY`, `$default` last. The path is split at "/" as it was
 * sent: `..`, `//` and a trailing slash are literal, and an empty segment fills no parameter. (The deployed API
 * forgives a doubled slash at the start; here that is `$default`.)
 *
 * The path must be valid percent-encoding. Throws for a route key that is malformed or given twice.
 */
export function createRouter(routes: readonly GatewayRoute[]): Router {
  const byKey = Map.groupBy(routes, ({ routeKey }) => routeKey);
  for (const [routeKey, same] of byKey) if (same.length > 1) throw new Error(`route "${routeKey}" is given twice`);
  const fallback = byKey.get('$default')?.[0];
  const prepared = routes.filter((route) => route !== fallback).map(prepare);
  prepared.sort((a, b) => (a.rank < b.rank ? -1 : 1));

  return (method, rawPath) => {
    for (const candidate of prepared) {
      const match = candidate.method === method || candidate.method === 'ANY' ? candidate.path.exec(rawPath) : null;
      if (match !== null && isCanonical(candidate.route, match.groups))
        return { route: candidate.route, pathParameters: decodeParameters(match.groups) };
    }
    return fallback && { route: fallback, pathParameters: undefined };
  };
}

function prepare(route: GatewayRoute): PreparedRoute {
  const [, method, path] = ROUTE_KEY.exec(route.routeKey) ?? [];
  if (method === undefined || path === undefined) {
    throw new Error(
      `route key "${route.routeKey}" is neither "METHOD /path" nor "$default", or has a greedy parameter before its end`,
    );
  }
  const segments = path
    .slice(1)
    .split('/')
    .map((text) => {
      const [, name, plus] = PARAMETER.exec(text) ?? [];
      if (name === undefined) return { rank: '0', pattern: RegExp.escape(text) };
      return plus === '+' ? { rank: '2', pattern: `(?<${name}>[^/].*)` } : { rank: '1', pattern: `(?<${name}>[^/]+)` };
    });
  // Among greedy routes the one with more segments comes first.
  const ranks = segments.map(({ rank }) => rank).join('');
  const greediness = ranks.endsWith('2') ? `1${String(999 - ranks.length)}` : '0';
  return {
    route,
    method,
    path: new RegExp(`^/${segments.map(({ pattern }) => pattern).join('/')}$`, 's'),
    rank: `${greediness} ${ranks} ${Number(method === 'ANY')}`,
  };
}

/** The escape of a character that needs none (RFC 3986 §2.3). */
const NEEDLESS_ESCAPE = /%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/i;

/** Reports whether each parameter is written as a client writes it: another spelling of it is no path of the API. */
function isCanonical({ routeKey }: GatewayRoute, groups: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(groups).every(([name, raw]) => routeKey.endsWith(`{${name}+}`) || !NEEDLESS_ESCAPE.test(raw));
}

function decodeParameters(groups: Readonly<Record<string, string>> | undefined): RouteMatch['pathParameters'] {
  if (groups === undefined) return undefined;
  return Object.fromEntries(Object.entries(groups).map(([name, raw]) => [name, decodeURIComponent(raw)]));
}
