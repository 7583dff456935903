import type { IncomingMessage } from 'node:http';

/** Request as received, before any check. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path exactly as sent; begins with "/". */
  readonly rawPath: string;
  /** Path, percent-decoded. */
  readonly path: string;
  /** Query after the first "?", exactly as sent; empty if there is none. */
  readonly rawQueryString: string;
  /** Headers by name in lower case; repeated values joined by ",", those of `cookie` by "; ". */
  readonly headers: ReadonlyMap<string, string>;
  /** Authority of an absolute-form target (RFC 9112 §3.2.2); takes precedence over `Host`. */
  readonly authority: string | undefined;
}

/** Reason for refusing a request before any route. */
export type UnreadableRequest = { readonly unreadable: 'badRequest' | 'headersTooLarge' };

/** Limit on request line and headers together, in bytes. */
export const HEADER_LIMIT_BYTES = 10_240;

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;
// Separators and line end of the request line "METHOD target HTTP/1.1", and of a header "name: value".
const REQUEST_LINE_OVERHEAD_BYTES = 12;
const HEADER_OVERHEAD_BYTES = 4;

/**
 * Reads target and headers of a request.
 *
 * These are unreadable: a request line and headers of more than 10,240 bytes together (the HTTP API's quota), a target
 * that is neither a path nor an absolute http URL, and a path that is no percent-encoded UTF-8.
 */
export function receiveRequest(request: IncomingMessage): ReceivedRequest | UnreadableRequest {
  const { method = '', url = '' } = request;
  const headers = new Map<string, string>();
  const headerBytes = collectHeaders(request.rawHeaders, headers);
  if (method.length + url.length + REQUEST_LINE_OVERHEAD_BYTES + headerBytes > HEADER_LIMIT_BYTES) {
    return { unreadable: 'headersTooLarge' };
  }

  const target = splitTarget(url);
  const path = target && decodePath(target.rawPath);
  if (target === undefined || path === undefined) return { unreadable: 'badRequest' };
  return { method, path, headers, ...target };
}

// Node reads header bytes as Latin-1, so a string's length is its number of bytes.
function collectHeaders(rawHeaders: readonly string[], headers: Map<string, string>): number {
  let bytes = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    bytes += name.length + value.length + HEADER_OVERHEAD_BYTES;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`);
  }
  return bytes;
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

function decodePath(rawPath: string): string | undefined {
  if (!rawPath.includes('%')) return rawPath;
  try {
    return decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
}
