import * as z from 'zod/mini';
import { parseJsonBody } from '../api/body.ts';
import type { ApiEvent } from '../api/request.ts';
import { BrokerError } from '../core/words/errors.ts';

/** The body of a report that the upstream rejected a token. */
export const rejectionSchema = z.strictObject({ rejected: z.string().check(z.regex(/^[0-9a-f]{64}$/)) });

/**
 * Parses a report that a token was rejected, and gives the token's hash: SHA-256 of its UTF-8 bytes in lowercase hex.
 * Throws as `parseJsonBody` does.
 */
export function parseRejectedHash(event: ApiEvent): string {
  const body = parseJsonBody(event);
  const parsed = rejectionSchema.safeParse(body);
  const isPlain = typeof body === 'object' && body !== null && !Object.hasOwn(body, '__proto__');
  if (!parsed.success || !isPlain) {
    throw new BrokerError(
      'invalid_request',
      'The body must be {"rejected":"…"} and no more: the SHA-256 of the rejected token, 64 lowercase hex digits.',
    );
  }
  return parsed.data.rejected;
}
