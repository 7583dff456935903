import * as z from 'zod/mini';
import { jsonBodyOf } from '../api/body.ts';
import type { ApiEvent } from '../api/request.ts';
import { BrokerError } from '../core/words/errors.ts';

/** The body of a report that the upstream rejected a token. */
export const rejectionSchema = z.strictObject({ rejected: z.string().check(z.regex(/^[0-9a-f]{64}$/)) });

/** The hash of the token that a caller rejects: SHA-256 of its UTF-8 bytes in lowercase hex. Throws as `jsonBodyOf` does. */
export function rejectedHashOf(event: ApiEvent): string {
  const body = jsonBodyOf(event);
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
