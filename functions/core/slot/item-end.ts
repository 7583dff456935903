import type { SealedToken } from './record.ts';

const SECOND_MS = 1000;
export const DAY_SECONDS = 86_400;
/** Shortest time for which an item is kept after its lease was taken, since the lease is part of the item. */
export const LEASED_KEPT_SECONDS = DAY_SECONDS;
/** Time for which an item with a refused secret version is kept. */
export const REFUSAL_KEPT_SECONDS = 30 * DAY_SECONDS;

/** Returns the later of an item's present end and `seconds` from now; epoch seconds. */
export function extendTtl(ttlSeconds: number, now: number, seconds: number): number {
  return Math.max(ttlSeconds, Math.ceil(now / SECOND_MS) + seconds);
}

/** Returns the end of an item with a new token: the token's, or later if it keeps a refusal; epoch seconds. */
export function publishedTtlSeconds(
  token: SealedToken,
  refusedVersion: string | undefined,
  ttlSeconds: number,
): number {
  const tokenEnds = Math.ceil(token.usableUntil / 1000);
  return refusedVersion === undefined ? tokenEnds : Math.max(tokenEnds, ttlSeconds);
}
