import * as z from 'zod/mini';
import { parseJsonBody } from '../api/body.ts';
import type { ApiEvent } from '../api/request.ts';
import { BrokerError } from '../core/words/errors.ts';

/** The body of a try: the subject to log in, `system` by default, and whether by the candidate of the secret. */
export const trySchema = z.strictObject({ subject: z.optional(z.string()), candidate: z.optional(z.boolean()) });

/** Parses the body of a try. Throws as `parseJsonBody` does. */
export function parseTryBody(event: ApiEvent): z.infer<typeof trySchema> {
  const body = parseJsonBody(event);
  const parsed = trySchema.safeParse(body);
  const isPlain = typeof body === 'object' && body !== null && !Object.hasOwn(body, '__proto__');
  if (parsed.success && isPlain) return parsed.data;
  throw new BrokerError(
    'invalid_request',
    'The body must be {}, or {"subject":"…","candidate":true} with one or both, and no more.',
  );
}
