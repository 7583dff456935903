import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { jsonResponse } from '../api/problem.ts';
import { isoSeconds } from '../api/time.ts';
import type { Connection } from '../core/connection.ts';
import type { HandOut } from '../core/hand-out.ts';
import type { Slot } from '../core/slot.ts';
import { remainingSeconds } from '../core/token.ts';
import { ACCESS_TOKEN } from './exchange-request.ts';

/** RFC 8693 §2.2.1: the token is not one to be used in an Authorization header. */
const NOT_APPLICABLE = 'N_A';

/** The 200 of an exchange (RFC 8693 §2.2.1), with every further member that a hand-out has. */
export function exchangeResponse(
  connection: Connection,
  slot: Slot,
  { token, source }: HandOut,
  now: number,
): APIGatewayProxyStructuredResultV2 {
  const value = token.value.reveal();
  const { header, scheme } = connection.placement;
  return jsonResponse(200, {
    access_token: value,
    issued_token_type: ACCESS_TOKEN,
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
