import { BrokerError } from '../core/words/errors.ts';
import { ERROR_HEADER, UPSTREAM_HEADER } from '../core/words/marks.ts';
import type { HttpHeaders } from './port.ts';

// The headers of a proxied call, both ways. A request keeps those that describe its content, and those that the
// connection's policy names. An answer keeps all but those dropped here.

/** Request headers that are always forwarded: `accept` and `accept-*`, `content-*`, `if-*`. */
const DESCRIBES_CONTENT = /^(?:accept(?!-encoding$)|content-(?!length$)|if-)/;
/** Others that are always forwarded: they say how the request is meant, and nothing of who makes it. */
const DESCRIBES_REQUEST: ReadonlySet<string> = new Set([
  'idempotency-key',
  'prefer',
  'range',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-correlation-id',
  'x-request-id',
  'x-requested-with',
]);

/** Headers that belong to one connection only (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Headers never sent to an upstream, whatever a policy says: the connection's, the broker's or the caller's own. */
const KEPT_FROM_UPSTREAM: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'content-length',
  'cookie',
  'expect',
  'host',
  'proxy-authorization',
]);
const AWS_HEADER = /^x-amzn?-/;
/** Headers in which a proxy tells a server who the client is: its user, certificate or address. */
const SAYS_WHO =
  /^(?:(?:x-)?remote-(?:user|addr)|x-(?:authenticated|auth-request)-.*|x-ms-client-principal.*|x-goog-(?:authenticated|iap)-.*|cf-(?:access|connecting)-.*|(?:x-)?(?:ssl-)?client-(?:cert|verify|dn).*|(?:x-|true-|fastly-|x-cluster-)client-ip)$/;
/** Headers that give a server a credential or a signature, or another method, path, host or proxy. */
const CHANGES_MEANING =
  /^(?:destination|proxy|(?:base|http|request)-ur[il]|x-(?:override|http-destination)-?url|x-original-http-method|x-method|x-http-method(?:-override)?|x-method-override|x-(?:original|rewrite)-(?:url|uri|path|method|host)|x-(?:forwarded|envoy)-.*|forwarded|x-host|x-real-ip|signature(?:-input)?|x-(?:hub-)?signature.*|dpop|(?:x-)?api-?key|x-(?:auth|access|session|csrf|xsrf)-token|ocp-apim-subscription-key)$/;

/** Headers never passed on to a caller, beside the token's header and those that `Connection` names. */
const KEPT_FROM_CALLER = [
  ...HOP_BY_HOP,
  'content-length',
  'proxy-authentication-info',
  'set-cookie',
  ERROR_HEADER,
  UPSTREAM_HEADER,
  // Orders to a browser that would change the broker's own pages and storage, or let another site read them.
  'alt-svc',
  'clear-site-data',
  'content-security-policy-report-only',
  'expect-ct',
  'nel',
  'origin-agent-cluster',
  'public-key-pins',
  'public-key-pins-report-only',
  'refresh',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie2',
  'set-login',
  'shared-storage-write',
  'speculation-rules',
  'strict-transport-security',
  'timing-allow-origin',
  'use-as-dictionary',
];
/** Headers of that kind by what their names begin with. */
const ORDERS = /^(?:access-control-|attribution-reporting-|(?:sec|secure)-session-)/;

const SIGV4 = /^AWS4-HMAC-SHA256 /;

/** Reports whether a policy may not name a header, given in lower case. */
export function isReservedHeader(name: string): boolean {
  const folded = foldName(name);
  return (
    KEPT_FROM_UPSTREAM.has(folded) || AWS_HEADER.test(folded) || SAYS_WHO.test(folded) || CHANGES_MEANING.test(folded)
  );
}

/** Folds a header's name as CGI and WSGI do, which tell neither case nor hyphens from underscores. */
function foldName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/**
 * Picks the headers of a caller's request that are forwarded; `policyHeaders` are in lower case. Throws
 * `invalid_request` for a token of the caller's own.
 */
export function pickRequestHeaders(
  given: Readonly<Record<string, string | undefined>>,
  {
    tokenHeaders,
    policyHeaders,
  }: { readonly tokenHeaders: readonly string[]; readonly policyHeaders: readonly string[] },
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [givenName, value] of Object.entries(given)) {
    const name = givenName.toLowerCase();
    if (value === undefined) continue;
    const placed = tokenHeaders.find((each) => foldName(each) === foldName(name));
    if (placed !== undefined) {
      assertIsSignature(name, value, placed);
      continue;
    }
    const isDescription = DESCRIBES_CONTENT.test(name) || DESCRIBES_REQUEST.has(name);
    if (isDescription || policyHeaders.includes(name)) headers[name] = value;
  }
  return headers;
}

/** Throws for a value of the token's header, unless it is the signature of the call to the broker. */
function assertIsSignature(name: string, value: string, tokenHeader: string): void {
  if (name === 'authorization' && SIGV4.test(value)) return;
  throw new BrokerError('invalid_request', `The broker places the token: leave the header ${tokenHeader} out.`);
}

/** Picks the headers of an upstream's answer that the caller gets: none that holds a token. */
export function pickAnswerHeaders(
  given: HttpHeaders,
  tokenHeaders: readonly string[],
): Record<string, readonly string[]> {
  const ofThisHop = (given['connection'] ?? []).flatMap((value) => value.toLowerCase().split(/\s*,\s*/));
  const dropped = new Set([...KEPT_FROM_CALLER, ...ofThisHop, ...tokenHeaders.map((name) => name.toLowerCase())]);
  const headers: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(given)) {
    if (values === undefined || dropped.has(name) || ORDERS.test(name)) continue;
    headers[name] = values;
  }
  return headers;
}

/** Headers that an answer has once (RFC 9110): of several lines the first counts. */
const SINGLE: ReadonlySet<string> = new Set([
  'age',
  'content-disposition',
  'content-location',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
]);

/**
 * Headers that keep a proxied answer from acting on the broker's origin, where a browser shows it: no script, no form,
 * no frame around it, and no other site may embed it.
 */
const SHUT = {
  'content-security-policy': "sandbox; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

/** Writes the headers of a proxied answer for its caller, one line each, with those that shut it in. */
export function writeAnswerHeaders(headers: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  const lines = Object.entries(headers).map(([name, values]) => [
    name,
    (SINGLE.has(name) ? values.slice(0, 1) : values).join(', '),
  ]);
  const written: Record<string, string> = Object.fromEntries(lines);
  // A second policy can only forbid more.
  const policy = [written['content-security-policy'], SHUT['content-security-policy']]
    .filter((each) => each)
    .join(', ');
  return { ...written, ...SHUT, 'content-security-policy': policy };
}
