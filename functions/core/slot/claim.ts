import type { Random } from '../words/platform.ts';
import { backOffMs } from './back-off.ts';
import type { Claim } from './changes.ts';
import type { Connection } from './connection.ts';
import { extendTtl, LEASED_KEPT_SECONDS } from './item-end.ts';
import { leaseLengthMs } from './lease.ts';
import type { MintWay } from './mint-message.ts';
import { EMPTY_RECORD, type SlotRecord } from './record.ts';

/** Returns the end of the back-off that holds if the holder of a lease never comes back. */
export function notBeforeOf(
  connection: Connection,
  tries: number,
  { now, random }: { readonly now: number; readonly random: Random },
): number {
  return now + Math.max(leaseLengthMs(connection), backOffMs('unknown', tries + 1, random));
}

/**
 * Creates a claim on the lease of a slot, for a login or a renewal. It includes the back-off that holds if the holder
 * never comes back, so that even a crash in every attempt cannot hammer an upstream.
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
