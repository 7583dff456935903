import { type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http';

/** Answer to the client. Header names are in lower case. */
export interface GatewayResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Buffer;
}

const REFUSALS = {
  badRequest: { statusCode: 400, message: 'Bad Request' },
  forbidden: { statusCode: 403, message: 'Forbidden' },
  notFound: { statusCode: 404, message: 'Not Found' },
  requestTimeout: { statusCode: 408, message: 'Request Timeout' },
  bodyTooLarge: { statusCode: 413, message: 'Request Entity Too Large' },
  headersTooLarge: { statusCode: 431, message: 'Request Header Fields Too Large' },
  internal: { statusCode: 500, message: 'Internal Server Error' },
  unavailable: { statusCode: 503, message: 'Service Unavailable' },
} satisfies Record<string, { statusCode: number; message: string }>;

/** The gateway's own refusals, by name. */
export type Refusal = keyof typeof REFUSALS;

/** Lambda's limit on the JSON of an event or of an answer, in bytes. */
export const LAMBDA_PAYLOAD_LIMIT_BYTES = 6_291_556;

// Maximum bytes for a character of JSON text, as an escape or in UTF-8.
const MAX_BYTES_PER_CHARACTER = 6;
const UNFORWARDED = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Creates the answer of the gateway itself: `{"message":…}`, with no header of the functions. */
export function refusalResponse(refusal: Refusal): GatewayResponse {
  const { statusCode, message } = REFUSALS[refusal];
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message }) };
}

/** Reports whether Lambda would carry a payload whose longest member is `body`. */
export function fitsLambdaPayload(payload: unknown, body: string): boolean {
  // Exact counting costs a second serialisation, so only large bodies are counted.
  if (body.length * MAX_BYTES_PER_CHARACTER < LAMBDA_PAYLOAD_LIMIT_BYTES / 2) return true;
  return Buffer.byteLength(JSON.stringify(payload)) <= LAMBDA_PAYLOAD_LIMIT_BYTES;
}

/**
 * Turns a handler's result into the answer, by payload format 2.0.
 *
 * An object with `statusCode` is the whole answer: `headers`, `cookies` (each a `Set-Cookie`), `body`,
 * `isBase64Encoded`. Anything else is itself the body of a 200 `application/json`; a string as it stands. Without a
 * content type a body is `text/plain;charset=utf-8`. Connection headers and `content-length` are the gateway's own
 * business.
 *
 * Throws for results that the HTTP API answers with its 500: a wrong type, an impossible status, a header that cannot
 * be sent, a result that is not JSON or exceeds Lambda's limit.
 */
export function responseFromResult(result: unknown): GatewayResponse {
  if (!isRecord(result) || result['statusCode'] === undefined) return inferredResponse(result);

  const body = readResultBody(result['body']);
  if (!fitsLambdaPayload(result, body)) throw new Error('the answer is larger than Lambda carries');
  const headers = readResultHeaders(result['headers']);
  const cookies = readResultCookies(result['cookies']);
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  if (body !== '' && headers['content-type'] === undefined) headers['content-type'] = 'text/plain;charset=utf-8';
  return {
    statusCode: readStatusCode(result['statusCode']),
    headers,
    body: result['isBase64Encoded'] === true ? Buffer.from(body, 'base64') : body,
  };
}

/** Sends an answer with the request id. Does nothing if the client has left or was answered already. */
export function sendResponse(
  response: ServerResponse,
  answer: GatewayResponse,
  { requestId, close }: { readonly requestId: string; readonly close: boolean },
): void {
  if (response.headersSent || response.destroyed) return;
  const hasNoBody = answer.statusCode === 204 || answer.statusCode === 304;
  response.writeHead(answer.statusCode, {
    ...answer.headers,
    ...(!hasNoBody && { 'content-length': Buffer.byteLength(answer.body) }),
    'apigw-requestid': requestId,
    ...(close && { connection: 'close' }),
  });
  response.end(hasNoBody ? undefined : answer.body);
}

function inferredResponse(result: unknown): GatewayResponse {
  const body = typeof result === 'string' ? result : JSON.stringify(result ?? null);
  if (body === undefined) throw new Error('the answer is no JSON');
  if (!fitsLambdaPayload(body, body)) throw new Error('the answer is larger than Lambda carries');
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body };
}

function readStatusCode(value: unknown): number {
  const statusCode = typeof value === 'string' && /^[0-9]{3}$/.test(value) ? Number(value) : value;
  if (typeof statusCode !== 'number' || !Number.isInteger(statusCode) || statusCode < 200 || statusCode > 599) {
    throw new Error('statusCode is no final HTTP status');
  }
  return statusCode;
}

function readResultBody(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new Error('body is not a string');
  return value;
}

function readResultHeaders(value: unknown): Record<string, string | string[]> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw new Error('headers is not an object');
  const headers: [string, string][] = [];
  for (const [name, content] of Object.entries(value)) {
    const lowerName = name.toLowerCase();
    // JSON drops an undefined member.
    if (content === undefined || UNFORWARDED.has(lowerName)) continue;
    if (typeof content !== 'string' && typeof content !== 'number' && typeof content !== 'boolean') {
      throw new Error('a header is neither string, number nor boolean');
    }
    validateHeaderName(lowerName);
    validateHeaderValue(lowerName, String(content));
    headers.push([lowerName, String(content)]);
  }
  return Object.fromEntries(headers);
}

function readResultCookies(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error('cookies is not an array');
  return value.map((cookie: unknown) => {
    if (typeof cookie !== 'string') throw new Error('a cookie is not a string');
    validateHeaderValue('set-cookie', cookie);
    return cookie;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
