import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TokenBrokerError, type TokenBrokerErrorKind } from '../error.ts';

/** Headers that keep an answer out of caches, and from being read, framed or run by a web page. */
const SHUT_IN = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Status of an error that the broker did not answer. */
const statusByKind = {
  problem: 502,
  gateway: 502,
  network: 503,
  timeout: 504,
  invalid_answer: 502,
  credentials: 503,
  usage: 400,
} as const satisfies Record<TokenBrokerErrorKind, number>;

/** Headers that belong to one connection, and those of a body that `fetch` has decoded. */
const NOT_PASSED_ON = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['content-encoding', 'date'],
]);

/** Creates the agent's own refusal of a request, in the form of the broker's errors. */
export function refusal(status: number, code: string, detail: string, retryAfterMs?: number): TokenBrokerError {
  return new TokenBrokerError('problem', detail, {
    code,
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Answers JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...SHUT_IN,
  });
  response.end(body);
}

/**
 * Answers an error as an RFC 9457 problem: the broker's as it came, the agent's own in the same shape. Nothing of an
 * unforeseen error is told. `isProxied` marks it as no answer of the upstream's.
 */
export function sendError(
  response: ServerResponse,
  error: unknown,
  { isProxied }: { readonly isProxied: boolean },
): void {
  const { status, code, detail, causeCode, retryAfterMs, requestId } = problemOf(error);
  const body = JSON.stringify({
    type: `urn:token-broker:error:${code}`,
    title: `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('_', ' ')}`,
    status,
    detail,
    code,
    request_id: requestId ?? randomUUID(),
    ...(causeCode === undefined ? {} : { cause: causeCode }),
  });
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    ...SHUT_IN,
    ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    ...(isProxied ? { 'token-broker-error': code } : {}),
  });
  response.end(body);
}

type Problem = Pick<TokenBrokerError, 'code' | 'detail' | 'causeCode' | 'retryAfterMs' | 'requestId'> & {
  readonly status: number;
};

function problemOf(error: unknown): Problem {
  if (!(error instanceof TokenBrokerError)) {
    const detail = 'Something unforeseen happened in token-broker agent.';
    return problemOf(refusal(500, 'internal', detail));
  }
  const { kind, code, detail, causeCode, retryAfterMs, requestId } = error;
  const isAnswered = kind === 'problem' || kind === 'gateway';
  return {
    code: kind === 'usage' ? 'invalid_request' : code,
    status: (isAnswered ? error.status : undefined) ?? statusByKind[kind],
    detail,
    causeCode,
    retryAfterMs: retryAfterMs ?? (kind === 'network' ? 1_000 : undefined),
    requestId,
  };
}

/**
 * Passes on an upstream's answer that came through the broker. `fetch` has decoded the body. A `location` that leads
 * through the broker's proxy, below `basePath`, leads through the agent's.
 */
export async function passOn(answer: Response, response: ServerResponse, basePath: string): Promise<void> {
  response.statusCode = answer.status;
  const isDecoded = answer.headers.has('content-encoding');
  for (const [name, value] of answer.headers) {
    if (NOT_PASSED_ON.has(name) || (name === 'content-length' && isDecoded)) continue;
    const isOurs = name === 'location' && value.startsWith(`${basePath}/proxy/`);
    response.appendHeader(name, isOurs ? value.slice(basePath.length) : value);
  }
  if (answer.body === null) response.end();
  else await pipeline(Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]), response);
}
