import type { Connection } from './connection.ts';
import { type Slot, slotFraction } from './slot.ts';
import { CLOCK_SKEW_MS, type TokenTimes } from './token.ts';

/** What the upstream's answer says of a new token's end; the core turns it into times. Epoch milliseconds. */
export interface IssuedLife {
  /** The `exp` that the token carries (H12). */
  readonly exp?: number;
  /** The `Date` of the answer (H14). */
  readonly serverDate?: number;
  /** A life fixed by configuration, in seconds (C17). */
  readonly seconds?: number;
}

/** The share of a life by which refreshes of different slots are spread, so that they do not fall due together. */
const REFRESH_SPREAD = 0.05;

/**
 * When a token just issued begins, ends and should be refreshed. Its life is counted from the sending of the request
 * (C17), measured between the upstream's own two clocks readings where it gave both (H14), and never longer than the
 * connection's `maxTokenAgeSeconds` (H13).
 */
export function timesOf(
  issued: { readonly life: IssuedLife; readonly requestStartedAt: number },
  connection: Connection,
  slot: Slot,
): TokenTimes {
  const issuedAt = issued.requestStartedAt;
  const lifeMs = lifeMsOf(issued.life, issuedAt, connection.maxTokenAgeSeconds * 1000);
  const expiresAt = issuedAt + lifeMs;
  const spread = Math.min(REFRESH_SPREAD, connection.refreshAfter / 2) * slotFraction(slot);
  const wanted = issuedAt + Math.round(lifeMs * (connection.refreshAfter - spread));
  // A life shorter than configured must still be refreshed before the token stops being usable.
  const latest = expiresAt - CLOCK_SKEW_MS - connection.minTtlSeconds * 1000;
  return { issuedAt, expiresAt, refreshAt: Math.max(issuedAt, Math.min(wanted, latest)) };
}

function lifeMsOf(life: IssuedLife, requestStartedAt: number, maximumMs: number): number {
  if (life.seconds !== undefined) return Math.min(life.seconds * 1000, maximumMs);
  if (life.exp === undefined) return maximumMs;
  return Math.min(life.exp - (life.serverDate ?? requestStartedAt), maximumMs);
}
