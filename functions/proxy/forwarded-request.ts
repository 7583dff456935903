import type { ApiEvent } from '../api/request.ts';
import type { ForwardedRequest } from '../core/proxy/forwarder.ts';
import { pathAsSent } from '../core/proxy/proxy.ts';
import type { Connection, ProxyPolicy } from '../core/slot/connection.ts';
import { BrokerError } from '../core/words/errors.ts';

/** The largest body that is forwarded. */
export const MAXIMUM_FORWARDED_BYTES = 6 * 1024 * 1024;
/** What is forwarded of every request; the rest only where the connection's policy names it. */
const FORWARDED = /^(?:accept(?!-encoding$)|content-(?!length$)|if-)/;
const CONTROL_CHARACTERS = /[\p{Cc}]/u;
const SIGV4 = /^AWS4-HMAC-SHA256 /;
/** The parameters by which a caller signs in the query what it could have signed in a header. */
const SIGNATURE_PARAMETERS: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
]);
/** A dot segment, also where a server cuts off the parameters of a segment before it looks (`..;x=1`). */
const DOT_SEGMENT = /^\.\.?(?:;|$)/;

/**
 * What of a caller's request goes to the upstream: its method, path, query and body as they were meant, and of its headers
 * those that describe content. Who calls, and how it was signed, stays here. Throws `invalid_request` for a path that
 * could mean another, and for a token of the caller's own; `payload_too_large` over 6 MB.
 */
export function forwardedRequestOf(event: ApiEvent, connection: Connection, policy: ProxyPolicy): ForwardedRequest {
  const body = bodyOf(event);
  return {
    method: event.requestContext.http.method,
    path: encodedPath(event.pathParameters?.['path'] ?? ''),
    query: unsignedQuery(event.rawQueryString),
    headers: headersOf(event, connection, policy),
    ...(body === undefined ? {} : { body }),
  };
}

/** The decoded path, encoded once. What a server might decode again, or read as another path, is refused. */
function encodedPath(path: string): string {
  const segments = path.split('/');
  const isAmbiguous = /[\\%?]/.test(path) || CONTROL_CHARACTERS.test(path) || !path.isWellFormed();
  if (isAmbiguous || segments.some((segment) => DOT_SEGMENT.test(segment))) {
    throw new BrokerError(
      'invalid_request',
      'The path may not hold dot segments, a backslash, a percent sign, an encoded question mark or control characters.',
    );
  }
  return pathAsSent(`/${path}`);
}

/** The query without the signature of the call to the broker, the rest as the caller wrote it. */
function unsignedQuery(query: string): string {
  const isSignature = (parameter: string) => SIGNATURE_PARAMETERS.has(nameOf(parameter));
  return query
    .split('&')
    .filter((parameter) => !isSignature(parameter))
    .join('&');
}

function nameOf(parameter: string): string {
  const [name = ''] = parameter.split('=', 1);
  return name
    .replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .toLowerCase();
}

function headersOf(event: ApiEvent, { placement }: Connection, policy: ProxyPolicy): Record<string, string> {
  const tokenHeader = placement.header.toLowerCase();
  const headers: Record<string, string> = {};
  for (const [given, value] of Object.entries(event.headers)) {
    const name = given.toLowerCase();
    if (value === undefined) continue;
    if (name === tokenHeader && !(name === 'authorization' && SIGV4.test(value))) {
      throw new BrokerError(
        'invalid_request',
        `The broker places the token: leave the header ${placement.header} out.`,
      );
    }
    if (name !== tokenHeader && (FORWARDED.test(name) || policy.headers.includes(name))) headers[name] = value;
  }
  return headers;
}

function bodyOf(event: ApiEvent): Uint8Array | undefined {
  if (event.body === undefined || event.body === '') return undefined;
  const bytes = Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAXIMUM_FORWARDED_BYTES) {
    throw new BrokerError(
      'payload_too_large',
      `The body has ${bytes.length} bytes; ${MAXIMUM_FORWARDED_BYTES} are forwarded.`,
    );
  }
  return bytes;
}
