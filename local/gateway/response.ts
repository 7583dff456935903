import { type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http';
import * as z from 'zod';
import { type GatewayAnswerType, writeGatewayAnswer } from '../../functions/api/gateway-responses.ts';

/** Answer to the client. Header names are in lower case. */
export interface GatewayResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Buffer;
}

/** Lambda's limit on the JSON of an event or of an answer, in bytes. */
const LAMBDA_PAYLOAD_LIMIT_BYTES = 6_291_556;

/** Headers that keep other pages from framing or embedding an answer; an answer's own take their place. */
const FOR_BROWSERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
} as const;

// Maximum bytes for a character of JSON text, as an escape or in UTF-8.
const MAX_BYTES_PER_CHARACTER = 6;
const UNFORWARDED = new Set(['keep-alive', 'proxy-connection', 'trailer', 'transfer-encoding', 'upgrade']);

/**
 * Creates the answer of the gateway itself, with no header of the functions; `status` is for a type that stands for
 * several, `detail` for a fault that API Gateway does not have.
 */
export function refusalResponse(
  type: GatewayAnswerType,
  {
    requestId,
    status = 400,
    detail,
  }: { readonly requestId: string; readonly status?: number; readonly detail?: string },
): GatewayResponse {
  const { status: own = status, headers, body } = writeGatewayAnswer(type, requestId);
  return { statusCode: own, headers, body: JSON.stringify(detail === undefined ? body : { ...body, detail }) };
}

/** Reports whether Lambda would carry a payload whose longest member is `body`. */
export function fitsLambdaPayload(payload: unknown, body: string): boolean {
  // Exact counting costs a second serialisation, so only large bodies are counted.
  if (body.length * MAX_BYTES_PER_CHARACTER < LAMBDA_PAYLOAD_LIMIT_BYTES / 2) return true;
  return Buffer.byteLength(JSON.stringify(payload)) <= LAMBDA_PAYLOAD_LIMIT_BYTES;
}

/** Headers of a function's that a REST API gives other names (its developer guide, "Important notes"). */
const REMAPPED = new Set([
  'connection',
  'content-length',
  'content-md5',
  'date',
  'max-forwards',
  'server',
  'user-agent',
  'www-authenticate',
]);

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
  multiValueHeaders: z.record(z.string(), z.array(z.string())).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.unknown().optional(),
});

/**
 * Turns a handler's result into the answer, by payload format 1.0.
 *
 * The result is an object with `statusCode`, `headers`, `multiValueHeaders` (a line for each value, in place of a
 * header of that name), `body` and `isBase64Encoded`. Without a content type a body is JSON. The gateway writes headers
 * of the connection itself, and gives those in `REMAPPED` another name.
 *
 * Throws for results that a REST API answers with its own error: no object, a wrong type, an impossible status, a
 * header that cannot be sent, a result that exceeds Lambda's limit.
 */
export function responseFromResult(result: unknown): GatewayResponse {
  const {
    statusCode,
    headers: single,
    multiValueHeaders,
    body: givenBody,
    isBase64Encoded,
  } = resultSchema.parse(result);
  const body = givenBody ?? '';
  if (!fitsLambdaPayload(result, body)) throw new Error('the answer is larger than Lambda carries');
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const [givenName, value] of [...Object.entries(single ?? {}), ...Object.entries(multiValueHeaders ?? {})]) {
    const name = givenName.toLowerCase();
    if (value === undefined || UNFORWARDED.has(name)) continue;
    validateHeaderName(name);
    for (const each of [value].flat()) validateHeaderValue(name, each);
    headers[REMAPPED.has(name) ? `x-amzn-remapped-${name}` : name] = value;
  }
  if (body !== '' && headers['content-type'] === undefined) headers['content-type'] = 'application/json';
  return { statusCode, headers, body: isBase64Encoded === true ? Buffer.from(body, 'base64') : body };
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
    ...FOR_BROWSERS,
    ...answer.headers,
    ...(!hasNoBody && { 'content-length': Buffer.byteLength(answer.body) }),
    'x-amzn-requestid': requestId,
    ...(close && { connection: 'close' }),
  });
  response.end(hasNoBody ? undefined : answer.body);
}
