import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { jsonResponse } from '../api/problem.ts';
import { isoSeconds } from '../api/time.ts';
import type { Connection } from '../core/connection.ts';
import type { HandOut } from '../core/hand-out.ts';
import type { Slot } from '../core/slot.ts';
import { remainingSeconds } from '../core/token.ts';

/** RFC 8693 §2.2.1: the token is no access token to be used in an Authorization header. */
const NOT_APPLICABLE = 'N_A';

/** The 200 of a hand-out: the names of RFC 6749 §5.1 first, and `headers` to be spread into a request as it is. */
export function handOutResponse(
  connection: Connection,
  slot: Slot,
  { token, source }: HandOut,
  now: number,
): APIGatewayProxyStructuredResultV2 {
  const value = token.value.reveal();
  const { header, scheme } = connection.placement;
  return jsonResponse(200, {
    access_token: value,
    token_type: scheme ?? NOT_APPLICABLE,
    expires_in: remainingSeconds(token, now),
    expires_at: isoSeconds(token.expiresAt),
    issued_at: isoSeconds(token.issuedAt),
    refresh_at: isoSeconds(token.refreshAt),
    connection: slot.connection,
    subject: slot.subject,
    generation: token.generation,
    source,
    headers: { [header]: scheme === undefined ? value : `${scheme} ${value}` },
    attributes: token.attributes,
  });
}
