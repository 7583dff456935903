import { decodeBody } from '../api/body.ts';
import type { ApiCall } from '../api/function.ts';
import type { ApiEvent } from '../api/request.ts';
import type { ForwardedRequest } from '../core/proxy/forwarder.ts';
import type { Connection, ProxyPolicy } from '../core/slot/connection.ts';
import { BrokerError } from '../core/words/errors.ts';
import { pickRequestHeaders } from '../http/forwarded-headers.ts';
import { checkPath } from './path.ts';

/** The largest body that is forwarded, in bytes: it comes as base64, and Lambda carries 6 MB. */
export const MAXIMUM_FORWARDED_BYTES = 4_500_000;
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

/** Character that a decoder puts where bytes are no UTF-8. */
const REPLACEMENT = '\uFFFD';

/**
 * Builds the request that goes to the upstream: the caller's method, path and body as they were sent, its query put
 * together again, and of the headers those that describe content. Who calls, and how it was signed, stays here. Throws
 * `invalid_request` for a path that could mean another, for a query that is no UTF-8, and for a header or parameter that
 * the broker places; `payload_too_large` over 4.5 MB.
 */
export function buildForwardedRequest(
  { event, parameters }: Pick<ApiCall, 'event' | 'parameters'>,
  connection: Connection,
  policy: ProxyPolicy,
): ForwardedRequest {
  const body = decodeBody(event, MAXIMUM_FORWARDED_BYTES);
  const { headers = {}, query = {} } = connection.provider.placement;
  return {
    method: event.httpMethod,
    path: checkPath(parameters['path'] ?? ''),
    query: buildQuery(event, Object.keys(query)),
    headers: pickRequestHeaders(joinHeaders(event), {
      tokenHeaders: Object.keys(headers),
      policyHeaders: policy.headers,
    }),
    ...(body.length === 0 ? {} : { body }),
  };
}

/** Joins the values of each header, its name in lower case (RFC 9110 §5.2). */
function joinHeaders({ multiValueHeaders }: ApiEvent): Record<string, string> {
  const lines = Object.entries(multiValueHeaders).flatMap(([name, values = []]) =>
    values.map((value) => [name.toLowerCase(), value] as const),
  );
  const byName = Map.groupBy(lines, ([name]) => name);
  return Object.fromEntries([...byName].map(([name, same]) => [name, same.map(([, value]) => value).join(', ')]));
}

/**
 * Builds the query from parameters that API Gateway has decoded: names in order of their characters, the values of one
 * name as they were sent, everything escaped that RFC 3986 §2.3 does not leave alone, `=` always there. The signature of
 * the call to the broker is left out. Throws for bytes that were no UTF-8, and for a parameter that the broker places.
 */
function buildQuery({ multiValueQueryStringParameters }: ApiEvent, placed: readonly string[]): string {
  const given = Object.entries(multiValueQueryStringParameters ?? {})
    .filter(([name]) => !SIGNATURE_PARAMETERS.has(name.toLowerCase()))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  assertIsNotPlaced(
    given.map(([name]) => name),
    placed,
  );
  return given
    .flatMap(([name, values = []]) => values.map((value) => `${escapeText(name)}=${escapeText(value)}`))
    .join('&');
}

/**
 * Throws for a parameter that the broker places, however a server may read its name: in another case, as a list, with
 * what PHP makes an underscore, up to a zero byte. Of two with one name it may take the caller's.
 */
function assertIsNotPlaced(names: readonly string[], placed: readonly string[]): void {
  const given = new Set(names.flatMap((name) => [foldName(name), foldName(name.replace(/\[.*$/s, ''))]));
  const name = placed.find((each) => given.has(foldName(each)));
  if (name === undefined) return;
  throw new BrokerError('invalid_request', `The broker places the parameter ${name}: leave it out.`);
}

function foldName(name: string): string {
  return name.toLowerCase().replace(/\0.*$/s, '').trim().replace(/[. []/g, '_');
}

function escapeText(text: string): string {
  if (text.includes(REPLACEMENT) || !text.isWellFormed()) {
    throw new BrokerError(
      'invalid_request',
      'The query must be UTF-8, percent-encoded: API Gateway loses bytes that are not.',
    );
  }
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
