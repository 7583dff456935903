import type { IncomingMessage } from 'node:http';
import { STAGE } from '../../functions/api/routes.ts';

/** Request as received, before any check. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path exactly as sent; begins with "/". */
  readonly rawPath: string;
  /** The path behind the stage, which a request may leave out here; begins with "/". */
  readonly path: string;
  /** Query after the first "?", exactly as sent; empty if there is none. */
  readonly rawQueryString: string;
  /** Headers by name in lower case; repeated values joined by ",", those of `cookie` by "; ". */
  readonly headers: ReadonlyMap<string, string>;
  /** The header lines, as they were sent. */
  readonly lines: readonly (readonly [name: string, value: string])[];
  /** Authority of an absolute-form target (RFC 9112 §3.2.2); takes precedence over `Host`. */
  readonly authority: string | undefined;
}

/** Reason for refusing a request before any route. */
export type UnreadableRequest = { readonly unreadable: 'badRequest' | 'headersTooLarge' };

/** Limit on request line and headers together, in bytes. */
const HEADER_LIMIT_BYTES = 10_240;

const STAGE_PREFIX = `/${STAGE}`;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;
// Separators and line end of the request line "METHOD target HTTP/1.1", and of a header "name: value".
const REQUEST_LINE_OVERHEAD_BYTES = 12;
const HEADER_OVERHEAD_BYTES = 4;

/**
 * Reads target and headers of a request.
 *
 * These are unreadable: a request line and headers of more than 10,240 bytes together (API Gateway's quota), a target
 * that is neither a path nor an absolute http URL, and a path that is no percent-encoded UTF-8.
 */
export function receiveRequest(request: IncomingMessage): ReceivedRequest | UnreadableRequest {
  const { method = '', url = '' } = request;
  // Node reads header bytes as Latin-1, so a string's length is its number of bytes.
  const headerBytes = request.rawHeaders.reduce((sum, text) => sum + text.length + HEADER_OVERHEAD_BYTES / 2, 0);
  if (method.length + url.length + REQUEST_LINE_OVERHEAD_BYTES + headerBytes > HEADER_LIMIT_BYTES) {
    return { unreadable: 'headersTooLarge' };
  }

  const target = splitTarget(url);
  if (target === undefined || !isDecodable(target.rawPath)) return { unreadable: 'badRequest' };
  const headers = Object.entries(request.headersDistinct).map(([name, values = []]): [string, string] => [
    name,
    values.join(name === 'cookie' ? '; ' : ','),
  ]);
  return {
    method,
    path: withoutStage(target.rawPath),
    headers: new Map(headers),
    lines: linesOf(request.rawHeaders),
    ...target,
  };
}

function splitTarget(url: string): Pick<ReceivedRequest, 'rawPath' | 'rawQueryString' | 'authority'> | undefined {
  if (url.startsWith('/')) return { ...splitQuery(url), authority: undefined };
  const [, authority, rest] = ABSOLUTE_FORM.exec(url) ?? [];
  if (authority === undefined || rest === undefined) return undefined;
  return { ...splitQuery(rest.startsWith('/') ? rest : `/${rest}`), authority };
}

function splitQuery(target: string): Pick<ReceivedRequest, 'rawPath' | 'rawQueryString'> {
  const mark = target.indexOf('?');
  if (mark === -1) return { rawPath: target, rawQueryString: '' };
  return { rawPath: target.slice(0, mark), rawQueryString: target.slice(mark + 1) };
}

function isDecodable(rawPath: string): boolean {
  try {
    decodeURIComponent(rawPath);
    return true;
  } catch {
    return false;
  }
}

/** The path that routes are found by: a deployed API has its stage before it. */
export function withoutStage(rawPath: string): string {
  if (rawPath === STAGE_PREFIX) return '/';
  return rawPath.startsWith(`${STAGE_PREFIX}/`) ? rawPath.slice(STAGE_PREFIX.length) : rawPath;
}

function linesOf(rawHeaders: readonly string[]): ReceivedRequest['lines'] {
  return rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : []));
}
