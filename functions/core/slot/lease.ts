import type { Random } from '../words/platform.ts';
import { backOffMs } from './back-off.ts';
import type { Claim } from './changes.ts';
import type { Connection } from './connection.ts';
import { extendTtl, LEASED_KEPT_SECONDS } from './item-end.ts';
import type { MintWay } from './mint-message.ts';
import { EMPTY_RECORD, type SlotRecord } from './record.ts';

const SECOND_MS = 1000;

/** Returns the time that `mint` may work under a lease, from when the lease was taken, by its own clock. */
export function mintWindowMs(connection: Connection): number {
  return (connection.timeoutSeconds + 6) * SECOND_MS;
}

/** Returns the length of a lease: the window of `mint` and, on top, the skew of the clocks. */
export function leaseLengthMs(connection: Connection): number {
  return (connection.timeoutSeconds + 11) * SECOND_MS;
}

/** Returns the longest time that a caller waits for another's attempt, or for the answer of its own. */
export function waitLimitMs(connection: Connection): number {
  return (connection.timeoutSeconds + 7) * SECOND_MS;
}

/** Returns the time that a caller must have left to take the lease itself. */
export function timeNeededToMintMs(connection: Connection): number {
  return mintWindowMs(connection);
}

/** Returns the end of the back-off that holds if the holder of a lease never comes back. */
export function notBeforeOf(
  connection: Connection,
  tries: number,
  { now, random }: { readonly now: number; readonly random: Random },
): number {
  return now + Math.max(leaseLengthMs(connection), backOffMs('unknown', tries + 1, random));
}

/**
 * Creates a claim on the lease of a slot, for a login or a renewal. It includes the back-off that holds if the holder never comes back, so that
 * even a crash in every attempt cannot hammer an upstream.
 */
export function createClaim(
  connection: Connection,
  seen: SlotRecord | undefined,
  { now, random, way = 'login' }: { readonly now: number; readonly random: Random; readonly way?: MintWay },
): Claim & { readonly way: MintWay } {
  const { tries, renewalTries = 0, ttlSeconds } = seen ?? EMPTY_RECORD;
  return {
    leaseId: random.uuid(),
    now,
    leaseUntil: now + leaseLengthMs(connection),
    way,
    notBefore: notBeforeOf(connection, way === 'login' ? tries : renewalTries, { now, random }),
    ttlSeconds: extendTtl(ttlSeconds, now, LEASED_KEPT_SECONDS),
    seen,
  };
}
