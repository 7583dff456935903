import * as z from 'zod/mini';
import { TokenBrokerError } from './error.ts';

/** The broker's largest answers are listings of a hundred slots; more than this is somebody else's. */
const MAXIMUM_ANSWER_BYTES = 1024 * 1024;
const LONGEST_QUOTE = 500;

const problemSchema = z.object({
  code: z.string(),
  detail: z.optional(z.string()),
  title: z.optional(z.string()),
  request_id: z.optional(z.string()),
  cause: z.optional(z.string()),
});
const gatewaySchema = z.object({ message: z.nullable(z.string()) });

/**
 * Reads the JSON of a 2xx answer; undefined for one without content. Throws `problem` or `gateway` for an error, and
 * `invalid_answer` for what is no JSON or too long. Rejects as `fetch` does where the answer breaks off.
 */
export async function jsonOf(response: Response): Promise<unknown> {
  const text = await limitedText(response);
  if (!response.ok) throw errorOf(response, text);
  if (response.status === 204) return undefined;
  const json = parsed(text);
  if (json === undefined) throw invalidAnswer(response, 'is not JSON');
  return json;
}

/** An answer that the broker cannot have given. Nothing of its body is quoted: it may be anything. */
export function invalidAnswer({ status, headers }: Response, why: string): TokenBrokerError {
  return new TokenBrokerError(
    'invalid_answer',
    `The answer ${why}. Check that the URL is the broker's, and what stands before it.`,
    { status, ...requestIdOf(headers) },
  );
}

/** The error that an answer which is not 2xx stands for. */
export function errorOf(response: Response, text: string): TokenBrokerError {
  const { status, headers } = response;
  const retryAfterMs = retryAfterMsOf(headers);
  const timing = retryAfterMs === undefined ? {} : { retryAfterMs };
  const json = parsed(text);

  const problem = problemSchema.safeParse(json);
  if (problem.success) {
    const { code, detail, title, request_id: requestId, cause } = problem.data;
    return new TokenBrokerError('problem', quoted(detail ?? title ?? 'no detail'), {
      code: quoted(code),
      status,
      ...timing,
      ...(requestId === undefined ? requestIdOf(headers) : { requestId: quoted(requestId) }),
      ...(cause === undefined ? {} : { causeCode: quoted(cause) }),
    });
  }
  const gateway = gatewaySchema.safeParse(json);
  if (gateway.success) {
    return new TokenBrokerError('gateway', gatewayDetail(status), { status, ...timing, ...requestIdOf(headers) });
  }
  return invalidAnswer(response, `has status ${status} and is no error of the broker's`);
}

/** API Gateway's own answers say little; this says what they mean here. */
function gatewayDetail(status: number): string {
  switch (status) {
    case 403:
      return 'The API refused the request (403). Its principal has no grant for this, its signature is for another region, or the clock is off: `token-broker doctor` tells which.';
    case 404:
      return 'The API has no such route (404). Check the URL, and that its stage is part of it.';
    case 429:
      return 'The API is throttled (429). Ask less often.';
    default:
      return `The API answered ${status} by itself; the broker did not.`;
  }
}

/** `Retry-After` in milliseconds, in seconds or as a date (RFC 9110 §10.2.3), a date against the answer's own `Date`. */
export function retryAfterMsOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1000;
  const ms = Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function requestIdOf(headers: Headers): { requestId?: string } {
  const requestId = headers.get('apigw-requestid') ?? headers.get('x-amzn-requestid');
  return requestId === null ? {} : { requestId: quoted(requestId) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A text of the answer's, fit for a message: short, and without control characters. */
function quoted(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, LONGEST_QUOTE);
}

/**
 * The text of an answer that may be the broker's error. Throws `invalid_answer` where it is longer than any; rejects as
 * `fetch` does where the answer breaks off.
 */
export async function limitedText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    // A fetch body's chunks are bytes; the type says less.
    const bytes = chunk as Uint8Array;
    length += bytes.byteLength;
    if (length > MAXIMUM_ANSWER_BYTES) throw invalidAnswer(response, 'is longer than any of the broker');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
