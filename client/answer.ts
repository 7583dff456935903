import * as z from 'zod/mini';
import { TokenBrokerError } from './error.ts';
import type { Answer } from './transport.ts';

/** Limit on an answer's bytes. The broker's largest, listings of a hundred slots, stay below it. */
const MAXIMUM_ANSWER_BYTES = 1024 * 1024;
const LONGEST_QUOTE = 500;

/** Form of the broker's codes. Another text is not from the broker, and may not fit into a header. */
const code = z.string().check(z.regex(/^[a-z][a-z0-9_]{0,63}$/));
const problemSchema = z.object({
  code,
  detail: z.optional(z.string()),
  title: z.optional(z.string()),
  request_id: z.optional(z.string()),
  cause: z.optional(code),
});
const gatewaySchema = z.object({ message: z.nullable(z.string()) });

/**
 * Reads the JSON of a 2xx answer; undefined without content. Throws `problem` or `gateway` for an error answer, and
 * `invalid_answer` if it is not JSON or too long. Rejects as `fetch` does if the answer breaks off.
 */
export async function jsonOf(response: Answer): Promise<unknown> {
  const text = await limitedText(response);
  if (!response.ok) throw errorOf(response, text);
  if (response.status === 204) return undefined;
  const json = parseJson(text);
  if (json === undefined) throw invalidAnswer(response, 'is not JSON');
  return json;
}

/** Creates the error for an answer that the broker cannot have given. Quotes nothing of its body. */
function invalidAnswer({ status, headers }: Answer, why: string): TokenBrokerError {
  return new TokenBrokerError(
    'invalid_answer',
    `The answer ${why}. Check that the URL is the broker's, and what stands before it.`,
    { status, ...requestIdOf(headers) },
  );
}

/** Creates the error for an answer that is not 2xx. */
export function errorOf(response: Answer, text: string): TokenBrokerError {
  const { status, headers } = response;
  const retryAfterMs = retryAfterMsOf(headers);
  const timing = retryAfterMs === undefined ? {} : { retryAfterMs };
  // Only a 4xx or 5xx is an error: an error passed on with another status would look like success.
  const json = status >= 400 ? parseJson(text) : undefined;

  const problem = problemSchema.safeParse(json);
  if (problem.success) {
    const { code, detail, title, request_id: requestId, cause } = problem.data;
    return new TokenBrokerError('problem', quoted(detail ?? title ?? 'no detail'), {
      code,
      status,
      ...timing,
      ...(requestId === undefined ? requestIdOf(headers) : { requestId: quoted(requestId) }),
      ...(cause === undefined ? {} : { causeCode: cause }),
    });
  }
  const gateway = gatewaySchema.safeParse(json);
  if (gateway.success) {
    return new TokenBrokerError('gateway', gatewayDetail(status), { status, ...timing, ...requestIdOf(headers) });
  }
  return invalidAnswer(response, `has status ${status} and is no error of the broker's`);
}

/** Explains a status of API Gateway's own, whose body says little. */
function gatewayDetail(status: number): string {
  switch (status) {
    case 403:
      return 'API Gateway refused the request (403), and the broker’s API did not see it. Check the URL, and that it ends in /v1; a private API is reached through its VPC endpoint alone.';
    case 404:
      return 'The API has no such route (404). Check the URL, and that its stage is part of it.';
    case 429:
      return 'The API is throttled (429). Ask less often.';
    default:
      return `The API answered ${status} by itself; the broker did not.`;
  }
}

/**
 * Reads `Retry-After` (RFC 9110 §10.2.3) in milliseconds, a fraction of a second rounded up; a date is relative to the
 * answer's own `Date`. Undefined where it is absent or neither.
 */
function retryAfterMsOf(headers: Answer['headers']): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^[0-9]{1,9}(?:\.[0-9]{1,9})?$/.test(text)) return Math.ceil(Number(text)) * 1000;
  // `Date.parse` takes almost any text with a number for a date.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const ms = Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function requestIdOf(headers: Answer['headers']): { requestId?: string } {
  const requestId = headers.get('x-amzn-requestid');
  return requestId === null ? {} : { requestId: quoted(requestId) };
}

/** Parses JSON; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Makes text from an answer fit for a message: short, without control characters. */
function quoted(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, LONGEST_QUOTE);
}

/** Reads the text of an answer of the broker's own. Throws as `limitedBytes` does. */
export async function limitedText(response: Answer): Promise<string> {
  return (await limitedBytes(response, MAXIMUM_ANSWER_BYTES)).toString('utf8');
}

/**
 * Reads the bytes of an answer. Throws `invalid_answer` if there are more than `most`; rejects as `fetch` does if the
 * answer breaks off.
 */
export async function limitedBytes(response: Answer, most: number): Promise<Buffer> {
  if (response.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    // The chunks of a fetch body are bytes, though the type does not say so.
    const bytes = chunk as Uint8Array;
    length += bytes.byteLength;
    if (length > most) throw invalidAnswer(response, 'is longer than any of the broker');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
