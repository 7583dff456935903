import type { Connection } from './connection.ts';
import { type Slot, slotFraction } from './slot.ts';
import { CLOCK_SKEW_MS, type TokenTimes } from './token.ts';

/** End of a new token as the upstream's answer gives it; the core turns it into times. Epoch milliseconds. */
export interface IssuedLife {
  /** The `exp` that the token carries (H12). */
  readonly exp?: number;
  /** The `Date` of the answer (H14). */
  readonly serverDate?: number;
  /** A life fixed by configuration, in seconds (C17). */
  readonly seconds?: number;
}

/** Share of a life over which the refreshes of different slots are spread, so that they do not fall due together. */
const REFRESH_SPREAD = 0.05;

/**
 * Computes when a new token begins, ends and should be refreshed. Its life starts when the request was sent (C17). If
 * the upstream gave both `exp` and `Date`, its life is the difference of the two (H14). It is never longer than the
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
