import { type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http';
import * as z from 'zod';

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

/** Headers that keep other pages from framing or embedding an answer; an answer's own take their place. */
const FOR_BROWSERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
} as const;

// Maximum bytes for a character of JSON text, as an escape or in UTF-8.
const MAX_BYTES_PER_CHARACTER = 6;
const UNFORWARDED = new Set([
  'connection',
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

const headerValue = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const resultSchema = z.object({
  statusCode: z
    .union([
      z
        .string()
        .regex(/^[0-9]{3}$/)
        .transform(Number),
      z.number(),
    ])
    .pipe(z.int().min(200).max(599)),
  // JSON drops an undefined member.
  headers: z.record(z.string(), headerValue.optional()).nullish(),
  cookies: z.array(z.string()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.unknown().optional(),
});

/**
 * Turns a handler's result into the answer, by payload format 2.0.
 *
 * An object with `statusCode` is the whole answer: `headers`, `cookies` (each a `Set-Cookie`), `body`,
 * `isBase64Encoded`. Anything else is itself the body of a 200 `application/json`; a string as it stands. Without a
 * content type a body is `text/plain;charset=utf-8`. Connection headers are the gateway's own business, and so is
 * `content-length`, but of a HEAD.
 *
 * Throws for results that the HTTP API answers with its 500: a wrong type, an impossible status, a header that cannot
 * be sent, a result that is not JSON or exceeds Lambda's limit.
 */
export function responseFromResult(result: unknown): GatewayResponse {
  const isWhole = typeof result === 'object' && result !== null && Reflect.get(result, 'statusCode') !== undefined;
  if (!isWhole) return inferredResponse(result);

  const { statusCode, headers: given, cookies, body: givenBody, isBase64Encoded } = resultSchema.parse(result);
  const body = givenBody ?? '';
  if (!fitsLambdaPayload(result, body)) throw new Error('the answer is larger than Lambda carries');
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const [givenName, value] of Object.entries(given ?? {})) {
    const name = givenName.toLowerCase();
    if (value === undefined || UNFORWARDED.has(name)) continue;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    headers[name] = value;
  }
  for (const cookie of cookies ?? []) validateHeaderValue('set-cookie', cookie);
  if (cookies && cookies.length > 0) headers['set-cookie'] = cookies;
  if (body !== '' && headers['content-type'] === undefined) headers['content-type'] = 'text/plain;charset=utf-8';
  return { statusCode, headers, body: isBase64Encoded === true ? Buffer.from(body, 'base64') : body };
}

/** Sends an answer with the request id. Does nothing if the client has left or was answered already. */
export function sendResponse(
  response: ServerResponse,
  answer: GatewayResponse,
  { requestId, close }: { readonly requestId: string; readonly close: boolean },
): void {
  if (response.headersSent || response.destroyed) return;
  const { 'content-length': ofGet, ...headers } = answer.headers;
  // Of a HEAD it is the length that a GET would have (RFC 9110 §8.6).
  const isSized = response.req.method === 'HEAD' && typeof ofGet === 'string' && answer.body.length === 0;
  const length = isSized ? ofGet : Buffer.byteLength(answer.body);
  const hasNoBody = answer.statusCode === 204 || answer.statusCode === 304;
  response.writeHead(answer.statusCode, {
    ...FOR_BROWSERS,
    ...headers,
    ...(!hasNoBody && { 'content-length': length }),
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
