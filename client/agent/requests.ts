import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseJson } from '../answer.ts';
import type { SlotName } from '../broker-api.ts';
import { createLoopbackGuard, isOfNoOtherSite } from '../dashboard/loopback-guard.ts';
import { refusal } from './answers.ts';

/** Header in which a caller shows the agent's own token. */
export const TOKEN_HEADER = 'x-token-broker-agent-token';

const SHA256 = /^[0-9a-f]{64}$/;
const WHOLE_SECONDS = /^[0-9]{1,9}$/;
const PATH = /^\/(tokens|proxy)\/([^/]+)\/([^/]+)(\/.*)?$/;
/** Headers about this connection, this caller or this machine, which do not go on to the upstream. */
const NOT_FORWARDED = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'expect', 'host', 'content-length', 'cookie', 'referer', TOKEN_HEADER],
]);
const NOT_FORWARDED_PREFIX = /^(?:sec-|x-amz-|x-forwarded-)/;

/** Route of a request to the agent. */
export type Route =
  | { readonly to: 'health' }
  | { readonly to: 'token'; readonly slot: SlotName }
  | { readonly to: 'proxy'; readonly slot: SlotName; readonly path: string };

/**
 * Creates the check that a request comes from a program of this machine, and not from a web page. `Host` must be a
 * loopback name with the agent's port; on a socket any name passes. `Origin` must be missing. A request that a browser
 * marks passes only if its user typed the address. Throws `forbidden`.
 */
export function createCallerCheck(port: number | undefined): (request: IncomingMessage) => void {
  const isForThisMachine = port === undefined ? undefined : createLoopbackGuard(port);
  return ({ headersDistinct }) => {
    const headers = { get: (name: string) => headersDistinct[name]?.join(',') };
    const isMeant = isForThisMachine?.({ headers, authority: undefined }) ?? isOfNoOtherSite(headers);
    if (isMeant && headers.get('origin') === undefined) return;
    throw refusal(
      403,
      'forbidden',
      'The agent answers programs of this machine alone, by a loopback name, and no web page.',
    );
  };
}

/** Creates the check of the agent's own token, in constant time. Throws `forbidden`. */
export function createTokenCheck(token: string): (request: IncomingMessage) => void {
  const expected = digest(token);
  return ({ headersDistinct }) => {
    const given = headersDistinct[TOKEN_HEADER]?.join(',') ?? '';
    if (timingSafeEqual(digest(given), expected)) return;
    const what = given === '' ? 'is missing' : 'is not the one of this agent, which draws a new one at each start';
    throw refusal(
      403,
      'forbidden',
      `The header X-Token-Broker-Agent-Token ${what}: send what the agent's token file holds.`,
    );
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** Reads the route of a path without its query. Throws `not_found`. */
export function routeOf(path: string): Route {
  if (path === '/health') return { to: 'health' };
  const [, to, connection = '', subject = '', rest] = PATH.exec(path) ?? [];
  const slot = { connection, subject: unescaped(subject) };
  if (to === 'tokens' && rest === undefined) return { to: 'token', slot };
  if (to === 'proxy' && rest !== undefined) return { to: 'proxy', slot, path: rest };
  throw refusal(
    404,
    'not_found',
    'The agent has /tokens/{connection}/{subject}, /proxy/{connection}/{subject}/{path} and /health, and no other path.',
  );
}

/** Decodes the escapes of a path segment, such as %40 for @. A malformed segment stays as it is, and names no slot. */
function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Reads `min_ttl` from the query of a hand-out. Throws `invalid_request` for another value or parameter. */
export function minTtlOf(query: string): number | undefined {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (name !== 'min_ttl')
      throw refusal(400, 'invalid_request', 'A hand-out has the parameter min_ttl, and no other.');
  }
  const [text, ...more] = parameters.getAll('min_ttl');
  if (text === undefined) return undefined;
  if (more.length === 0 && WHOLE_SECONDS.test(text)) return Number(text);
  throw refusal(400, 'invalid_request', '`min_ttl` is a whole number of seconds.');
}

/** Reads a report of a dead token: the SHA-256. Throws `unsupported_media_type`, or `invalid_request`. */
export function rejectedHashOf({ headers }: IncomingMessage, body: Buffer): string {
  if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '')) {
    throw refusal(415, 'unsupported_media_type', 'Send the report as application/json.');
  }
  const report = parseJson(body.toString('utf8'));
  const hash: unknown = typeof report === 'object' && report !== null ? Reflect.get(report, 'rejected') : undefined;
  if (typeof hash === 'string' && SHA256.test(hash)) return hash;
  throw refusal(400, 'invalid_request', 'A report is {"rejected":"<the SHA-256 of the token, in lowercase hex>"}.');
}

/** Picks the headers of a proxied call that go on to the broker, which chooses among them again. */
export function forwardedHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!NOT_FORWARDED.has(name) && !NOT_FORWARDED_PREFIX.test(name)) headers.append(name, rawHeaders[at + 1] ?? '');
  }
  return headers;
}

const NOTHING = Buffer.alloc(0);

/** Reads a body of at most `most` bytes. Throws `payload_too_large`. */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  // Iterating over the body that a GET does not have takes a fifth of the agent's work.
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (length === undefined && encoding === undefined) return NOTHING;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    // A body that is too long is read to its end all the same, so that the caller gets the answer.
    if (bytes <= most) chunks.push(piece);
    else chunks.length = 0;
  }
  if (bytes > most) throw refusal(413, 'payload_too_large', `The body has more than ${most} bytes.`);
  return Buffer.concat(chunks);
}
