import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Request with its whole body. */
export interface DemoRequest {
  readonly method: string;
  /** Path as sent, without the query. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Splits the request target without `new URL`, which would resolve `..` and read `//x` as a host. */
export function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** Reads the media type without its parameters, in lower case; empty if there is none. */
export function mediaType(request: DemoRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** Parses the body as JSON; undefined if it is not JSON. */
export function jsonBody(request: DemoRequest): unknown {
  try {
    return JSON.parse(request.body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Builds the echo of a request in a gated answer: enough to check a proxy, without header values. */
export function echoOf(request: DemoRequest): Record<string, unknown> {
  return {
    method: request.method,
    path: request.path,
    query: request.query,
    headerNames: Object.keys(request.headers).sort(),
    body: { length: request.body.length, sha256: createHash('sha256').update(request.body).digest('hex') },
  };
}
