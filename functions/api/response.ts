import type { HandOut } from '../core/hand-out/hand-out.ts';
import type { Connection } from '../core/slot/connection.ts';
import { isBearer, place } from '../core/slot/placement.ts';
import type { Slot } from '../core/slot/slot.ts';
import { remainingSeconds, type Token } from '../core/slot/token.ts';
import type { ApiResponse } from './function.ts';
import { JSON_HEADERS } from './json-response.ts';

/** RFC 8693 §2.2.1: the token is no access token to be used in an Authorization header. */
const NOT_APPLICABLE = 'N_A';

/** The part that all answers with one token share, as JSON text without the outer braces. */
interface Written {
  readonly slot: Slot;
  readonly beforeExpiresIn: string;
  readonly betweenExpiresInAndSource: string;
  readonly afterSource: string;
}

// A token is written as JSON once and not for each caller. What is kept goes with the token that it is of.
const writtenOf = new WeakMap<Token, Written>();

/**
 * The 200 of a hand-out: the names of RFC 6749 §5.1 first, and `headers` to be spread into a request as it is. An
 * exchange says besides what type of token it issued (RFC 8693 §2.2.1).
 */
export function createHandOutResponse(
  connection: Connection,
  slot: Slot,
  { token, source }: HandOut,
  { now, issuedTokenType }: { readonly now: number; readonly issuedTokenType?: string },
): ApiResponse {
  const kept = writtenOf.get(token);
  const written = kept !== undefined && isSame(kept.slot, slot) ? kept : write(connection, slot, token);
  const { beforeExpiresIn, betweenExpiresInAndSource, afterSource } = written;
  const issued = issuedTokenType === undefined ? '' : `,${membersOf({ issued_token_type: issuedTokenType })}`;
  const body = `{${beforeExpiresIn}${issued},"expires_in":${remainingSeconds(token, now)},${betweenExpiresInAndSource},"source":"${source}",${afterSource}}`;
  return { statusCode: 200, headers: { ...JSON_HEADERS }, body };
}

function write(connection: Connection, slot: Slot, token: Token): Written {
  const value = token.value.reveal();
  const { placement } = connection.provider;
  const { headers, query, baseUrl } = place({ connection, subject: slot.subject }, value, token.values);
  const written: Written = {
    slot,
    beforeExpiresIn: membersOf({ access_token: value, token_type: isBearer(placement) ? 'Bearer' : NOT_APPLICABLE }),
    betweenExpiresInAndSource: membersOf({
      expires_at: isoSeconds(token.expiresAt),
      issued_at: isoSeconds(token.issuedAt),
      refresh_at: isoSeconds(token.refreshAt),
      connection: slot.connection,
      subject: slot.subject,
      generation: token.generation,
    }),
    afterSource: membersOf({
      headers,
      query: placement.query && query,
      base_url: placement.baseUrl && baseUrl,
      attributes: token.attributes,
    }),
  };
  writtenOf.set(token, written);
  return written;
}

function membersOf(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(value).slice(1, -1);
}

function isSame(a: Slot, b: Slot): boolean {
  return a.connection === b.connection && a.subject === b.subject;
}

/** Epoch milliseconds as ISO 8601 in UTC, to the whole second that has begun. */
export function isoSeconds(epochMs: number): string {
  return `${new Date(Math.floor(epochMs / 1000) * 1000).toISOString().slice(0, -5)}Z`;
}
