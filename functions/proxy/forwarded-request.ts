import { decodeBody } from '../api/body.ts';
import type { ApiEvent } from '../api/request.ts';
import type { ForwardedRequest } from '../core/proxy/forwarder.ts';
import type { Connection, ProxyPolicy } from '../core/slot/connection.ts';
import { BrokerError } from '../core/words/errors.ts';
import { pickRequestHeaders } from '../http/forwarded-headers.ts';
import { encodePath } from './path.ts';

/** The largest body that is forwarded. */
export const MAXIMUM_FORWARDED_BYTES = 6 * 1024 * 1024;
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

/**
 * Builds the request that goes to the upstream: the caller's method, path, query and body as they were meant, and of the
 * headers those that describe content. Who calls, and how it was signed, stays here. Throws `invalid_request` for a path that
 * could mean another, and for a header or parameter that the broker places; `payload_too_large` over 6 MB.
 */
export function buildForwardedRequest(event: ApiEvent, connection: Connection, policy: ProxyPolicy): ForwardedRequest {
  const body = decodeBody(event, MAXIMUM_FORWARDED_BYTES);
  const { headers = {}, query = {} } = connection.provider.placement;
  assertIsNotPlaced(event.rawQueryString, Object.keys(query));
  return {
    method: event.requestContext.http.method,
    path: encodePath(event.pathParameters?.['path'] ?? ''),
    query: withoutSignature(event.rawQueryString),
    headers: pickRequestHeaders(event.headers, {
      tokenHeaders: Object.keys(headers),
      policyHeaders: policy.headers,
    }),
    ...(body.length === 0 ? {} : { body }),
  };
}

/**
 * Throws for a parameter that the broker places, however a server may read its name: in another case, as a list, behind
 * a semicolon, with what PHP makes an underscore, up to a zero byte. Of two with one name it may take the caller's.
 */
function assertIsNotPlaced(query: string, placed: readonly string[]): void {
  const names = query.split(/[&;]/).map((parameter) => nameOf(parameter).replaceAll('+', ' '));
  const given = new Set(names.flatMap((name) => [foldName(name), foldName(name.replace(/\[.*$/s, ''))]));
  const name = placed.find((each) => given.has(foldName(each.toLowerCase())));
  if (name === undefined) return;
  throw new BrokerError('invalid_request', `The broker places the parameter ${name}: leave it out.`);
}

function foldName(name: string): string {
  return name.replace(/\0.*$/s, '').trim().replace(/[. []/g, '_');
}

/** The query without the signature of the call to the broker, the rest as the caller wrote it. */
function withoutSignature(query: string): string {
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
