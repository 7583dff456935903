import type { SealedToken } from './record.ts';

const SECOND_MS = 1000;
export const DAY_SECONDS = 86_400;
/** An item is kept at least so long from when its lease was taken, whatever its token's end: the lease is part of it. */
export const LEASED_KEPT_SECONDS = DAY_SECONDS;
/** How long an item is kept that remembers a refused secret version. */
export const REFUSAL_KEPT_SECONDS = 30 * DAY_SECONDS;

/** The later of an item's present end and `seconds` from now; epoch seconds. */
export function keptAtLeast(ttlSeconds: number, now: number, seconds: number): number {
  return Math.max(ttlSeconds, Math.ceil(now / SECOND_MS) + seconds);
}

/** The item's end: the token's own, unless a refusal is to outlive it; epoch seconds. */
export function publishedTtlSeconds(
  token: SealedToken,
  refusedVersion: string | undefined,
  ttlSeconds: number,
): number {
  const tokenEnds = Math.ceil(token.usableUntil / 1000);
  return refusedVersion === undefined ? tokenEnds : Math.max(tokenEnds, ttlSeconds);
}
