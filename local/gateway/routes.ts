import type { LambdaHandler } from '../lambda/invoke.ts';

/** Route of the HTTP API and its function. */
export interface GatewayRoute {
  /** `METHOD /path/{parameter}/{rest+}`, with `ANY` for every method, or `$default`. */
  readonly routeKey: string;
  readonly functionName: string;
  readonly handler: LambdaHandler;
  /** The function's own timeout. */
  readonly timeoutMs: number;
  readonly authorization: 'AWS_IAM' | 'NONE';
}

/** Route of a request and its path parameters, percent-decoded; `undefined` if the route has none. */
export interface RouteMatch {
  readonly route: GatewayRoute;
  readonly pathParameters: Record<string, string> | undefined;
}

/** Finds the route for a method and a path as sent; `undefined` if there is none and no `$default`. */
export type Router = (method: string, rawPath: string) => RouteMatch | undefined;

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'greedy'; readonly name: string };

interface PreparedRoute {
  readonly route: GatewayRoute;
  readonly method: string;
  readonly segments: readonly Segment[];
}

const ROUTE_KEY = /^(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) (\/\S*)$/;
const PARAMETER = /^\{([A-Za-z0-9._-]+)(\+?)\}$/;
const RANK = { literal: 0, parameter: 1, greedy: 2 } as const;

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
  refuseDuplicates(routes);
  const fallback = routes.find((route) => route.routeKey === '$default');
  const prepared = routes
    .filter((route) => route !== fallback)
    .map(prepare)
    .sort(bySpecificity);

  return (method, rawPath) => {
    const parts = rawPath.slice(1).split('/');
    for (const candidate of prepared) {
      if (serves(candidate, method, parts)) {
        return { route: candidate.route, pathParameters: readParameters(candidate.segments, parts) };
      }
    }
    return fallback && { route: fallback, pathParameters: undefined };
  };
}

function refuseDuplicates(routes: readonly GatewayRoute[]): void {
  const seen = new Set<string>();
  for (const { routeKey } of routes) {
    if (seen.has(routeKey)) throw new Error(`route "${routeKey}" is given twice`);
    seen.add(routeKey);
  }
}

function prepare(route: GatewayRoute): PreparedRoute {
  const [, method, path] = ROUTE_KEY.exec(route.routeKey) ?? [];
  if (method === undefined || path === undefined) {
    throw new Error(`route key "${route.routeKey}" is neither "METHOD /path" nor "$default"`);
  }
  const segments = path.slice(1).split('/').map(prepareSegment);
  if (segments.slice(0, -1).some((segment) => segment.kind === 'greedy')) {
    throw new Error(`route key "${route.routeKey}" has a greedy parameter before its end`);
  }
  return { route, method, segments };
}

function prepareSegment(text: string): Segment {
  const [, name, plus] = PARAMETER.exec(text) ?? [];
  if (name === undefined) return { kind: 'literal', text };
  return { kind: plus === '+' ? 'greedy' : 'parameter', name };
}

function bySpecificity(a: PreparedRoute, b: PreparedRoute): number {
  return (
    Number(isGreedy(a)) - Number(isGreedy(b)) ||
    (isGreedy(a) ? b.segments.length - a.segments.length : 0) ||
    compareSegments(a.segments, b.segments) ||
    Number(a.method === 'ANY') - Number(b.method === 'ANY')
  );
}

function isGreedy({ segments }: PreparedRoute): boolean {
  return segments.at(-1)?.kind === 'greedy';
}

function compareSegments(a: readonly Segment[], b: readonly Segment[]): number {
  for (const [index, segment] of a.entries()) {
    const other = b[index];
    const difference = other === undefined ? 0 : RANK[segment.kind] - RANK[other.kind];
    if (difference !== 0) return difference;
  }
  return 0;
}

function serves(candidate: PreparedRoute, method: string, parts: readonly string[]): boolean {
  const { segments } = candidate;
  if (candidate.method !== method && candidate.method !== 'ANY') return false;
  if (isGreedy(candidate) ? parts.length < segments.length : parts.length !== segments.length) return false;
  return segments.every((segment, index) =>
    segment.kind === 'literal' ? segment.text === parts[index] : parts[index] !== '',
  );
}

function readParameters(segments: readonly Segment[], parts: readonly string[]): Record<string, string> | undefined {
  const entries: [string, string][] = [];
  for (const [index, segment] of segments.entries()) {
    if (segment.kind === 'literal') continue;
    const raw = segment.kind === 'greedy' ? parts.slice(index).join('/') : (parts[index] ?? '');
    entries.push([segment.name, decodeURIComponent(raw)]);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
