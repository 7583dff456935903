import type { SlotName } from './broker-api.ts';
import { isLoopbackHost } from './endpoint.ts';
import { TokenBrokerError } from './error.ts';
import { isReplayable, UNAUTHORIZED } from './replayable.ts';
import type { BeginUse } from './token-use.ts';
import type { Fetch } from './transport.ts';

/** Options of `fetch`, and the subject of the token. */
export interface UpstreamInit extends Omit<RequestInit, 'redirect'> {
  /** Default `system`. */
  readonly subject?: string | undefined;
  readonly minTtlSeconds?: number | undefined;
}

/** Base URLs of upstreams by connection. */
export type Upstreams = Readonly<Record<string, string>>;

/** A segment of two dots, as servers read it: with blanks, and before a parameter, a query, a fragment or a NUL. */
const TWO_DOTS = /^\s*\.\s*\.\s*(?:[;?#\0]|$)/;
/** A segment of nothing but dots and blanks, of which a server may cut off some. */
const DOTS = /^[.\s]+(?:[;?#\0]|$)/;
const SLASHES = /[/\\\u2044\u2215\u2216\u29f8\uff0f\uff3c]/;
/** Most times that a path is decoded. */
const DECODINGS = 3;

/**
 * Creates `fetch` for upstreams: it places the token, keeps a slid token, and after a 401 reports the token and retries
 * once, if the body can be sent twice. It follows no redirect, since the token would go along. Errors of the global
 * `fetch` are passed on unchanged.
 */
export function createUpstreamFetch({
  begin,
  fetch,
  upstreams,
}: {
  readonly begin: BeginUse;
  readonly fetch: Fetch;
  readonly upstreams: Upstreams;
}): (connection: string, target: string | URL, init?: UpstreamInit) => Promise<Response> {
  return async (connection, target, { subject = 'system', minTtlSeconds, ...init } = {}) => {
    const url = upstreamUrlOf(connection, target, upstreams);
    const slot: SlotName = { connection, subject };
    for (let use = await begin(slot, minTtlSeconds); ; ) {
      const headers = placedHeaders(init.headers, use.headers);
      const response = await fetch(url, { ...init, headers, redirect: 'manual' });
      use.answered(response.status, response.headers.get(use.tokenHeader));
      const answer = withoutHeader(response, use.tokenHeader);
      if (response.status !== UNAUTHORIZED) return answer;
      const next = await use.renewed();
      if (next === undefined || !isReplayable(init.body)) return answer;
      await answer.body?.cancel();
      use = next;
    }
  };
}

/**
 * Builds the URL to send a token to: a path under the connection's declared base URL, or an absolute URL under it, with
 * http only if the base URL has it. Without a declared base URL: any https URL, or http on loopback. Throws `usage`
 * otherwise.
 */
export function upstreamUrlOf(connection: string, target: string | URL, upstreams: Upstreams): string {
  const declared = Object.hasOwn(upstreams, connection) ? upstreams[connection] : undefined;
  const base = declared === undefined ? undefined : URL.parse(declared);
  // URLs of other schemes all have the origin "null", which would compare as equal.
  if (base === null || (base !== undefined && !/^https?:$/.test(base.protocol))) {
    throw new TokenBrokerError('usage', `\`upstreams.${connection}\` is no http or https URL.`);
  }
  const isPath = typeof target === 'string' && target.startsWith('/');
  if (isPath && base === undefined) {
    throw new TokenBrokerError('usage', `Give \`upstreams: { ${connection}: 'https://…' }\`, or an absolute URL.`);
  }
  const text = isPath && base !== undefined ? `${base.origin}${withoutSlash(base.pathname)}${target}` : String(target);
  const url = URL.parse(text);
  if (url === null) throw new TokenBrokerError('usage', 'The target is neither a path that begins with / nor a URL.');
  if (url.username !== '' || url.password !== '') {
    throw new TokenBrokerError('usage', 'The URL may not hold a user or a password: the token takes their place.');
  }
  if (base === undefined && !isSafe(url)) {
    throw new TokenBrokerError(
      'usage',
      `The token of ${connection} goes over https (http on loopback): for plain http declare \`upstreams.${connection}\`.`,
    );
  }
  if (base !== undefined && !isBehind(url, base)) {
    throw new TokenBrokerError(
      'usage',
      `The token of ${connection} goes to its own upstream alone: the scheme, origin and path of \`upstreams.${connection}\`.`,
    );
  }
  return url.href;
}

/** Reports whether `url` has the origin of `base` and begins with all segments of its path. */
function isBehind(url: URL, base: URL): boolean {
  const isSameOrigin = url.origin === base.origin;
  return isSameOrigin && !climbs(url.pathname) && `${url.pathname}/`.startsWith(`${withoutSlash(base.pathname)}/`);
}

/**
 * Reports whether a path that the URL parser has resolved still climbs for some servers: its dots or slashes may be
 * escaped, even several times, may be characters that look alike, or may have invisible characters between them.
 */
function climbs(pathname: string): boolean {
  let read = pathname;
  for (let time = 0; time < DECODINGS; time += 1) read = decode(read);
  return read.split(SLASHES).some((segment) => {
    const plain = segment.normalize('NFKC').replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '');
    return TWO_DOTS.test(plain) || (DOTS.test(plain) && plain !== segment);
  });
}

/** Decodes escapes of UTF-8, and leaves all others as they are. */
function decode(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escaped) => {
    try {
      return decodeURIComponent(escaped);
    } catch {
      return escaped;
    }
  });
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

function placedHeaders(given: RequestInit['headers'], token: Readonly<Record<string, string>>): Headers {
  const headers = new Headers(given);
  for (const [name, value] of Object.entries(token)) {
    if (headers.has(name)) throw new TokenBrokerError('usage', `The client places the token: leave ${name} out.`);
    headers.set(name, value);
  }
  return headers;
}

/** Copies the answer without the token header, so that nothing downstream logs a token (C16). */
function withoutHeader(response: Response, name: string): Response {
  if (!response.headers.has(name)) return response;
  const { status, statusText, url } = response;
  const headers = new Headers(response.headers);
  headers.delete(name);
  const hasBody = status !== 204 && status !== 205 && status !== 304;
  const copy = new Response(hasBody ? response.body : null, { status, statusText, headers });
  return Object.defineProperty(copy, 'url', { value: url });
}
