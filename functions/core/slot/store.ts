import type { BrokerErrorCode } from '../words/errors.ts';
import type { SealedToken, SlotRecord } from './record.ts';
import type { Slot } from './slot.ts';

/**
 * Slots and refusals, one item each, changed by single-item conditional writes only. A write answers whether its
 * condition held; what happened otherwise the caller finds out by a consistent read. Since a write whose reply was
 * lost may be sent again, `false` can follow a success of one's own.
 * Every method throws `store_unavailable` when the store cannot be reached or throttles.
 */
export interface Store {
  read(slot: Slot, options: { readonly consistent: boolean }): Promise<SlotRecord | undefined>;
  /**
   * Takes the lease, counts the try and writes the back-off that holds should the holder never come back; if
   * token, rejection and lease are as seen, no other lease came between (`fence`), and no back-off is ahead. The token is compared by generation and hash: an
   * item that expired and came back counts its generations anew.
   */
  acquire(claim: Claim): Promise<boolean>;
  /** Marks the lease as begun by one `mint` invocation; the record after it, or undefined where the condition failed. */
  begin(start: {
    readonly slot: Slot;
    readonly leaseId: string;
    readonly begunBy: string;
  }): Promise<SlotRecord | undefined>;
  /** Puts the next generation in place and clears lease, failure, refusal and rejection, if the lease is held and no generation came between. */
  publish(publication: Publication): Promise<boolean>;
  /** Ends a held lease with a failure. */
  fail(failure: FailedAttempt): Promise<boolean>;
  /** Ends a held lease and nothing else. */
  release(held: { readonly slot: Slot; readonly leaseId: string }): Promise<boolean>;
  /** Notes that a refresh was asked for, if nobody did since `notSince`. */
  askRefresh(ask: {
    readonly slot: Slot;
    readonly generation: number;
    readonly now: number;
    readonly notSince: number;
  }): Promise<boolean>;
  /** Notes a hand-out, if the item exists and none was noted since `notSince`; sets `dueAt` where one is given. */
  recordUse(use: {
    readonly slot: Slot;
    readonly now: number;
    readonly notSince: number;
    readonly dueAt?: number;
  }): Promise<boolean>;
  /** Notes that the token of `generation` was reported dead, if it, by its hash too, is still current. */
  markRejected(report: { readonly slot: Slot; readonly generation: number; readonly hash: string }): Promise<boolean>;
  /** Takes the slot off the schedule (`dueAt` undefined) or moves it, if generation and use are as seen. */
  reschedule(change: {
    readonly slot: Slot;
    readonly generation: number;
    readonly lastHandedOutAt: number;
    readonly dueAt?: number;
  }): Promise<boolean>;
  /** Drops token, failure and rejection and advances the generation, if the item exists; never touches a lease. */
  purge(purge: { readonly slot: Slot; readonly ttlSeconds: number }): Promise<boolean>;
  /** Ends a back-off and keeps the refusal; puts the slot on the schedule where `dueAt` is given. */
  endBackOff(change: { readonly slot: Slot; readonly dueAt?: number }): Promise<boolean>;
  /** The slots of a connection, by subject; every fingerprint. `next` continues the listing. */
  list(query: { readonly connection: string; readonly limit: number; readonly after?: string }): Promise<{
    readonly slots: readonly { readonly slot: Slot; readonly record: SlotRecord }[];
    readonly next?: string;
  }>;
  /** Up to `limit` slots of every connection whose `dueAt` has come, longest overdue first. */
  due(query: { readonly now: number; readonly limit: number }): Promise<readonly DueSlot[]>;
  refusals(connection: string): Promise<Refusals | undefined>;
  /** Adds a slot to those refused under a secret version; a new version starts the count afresh. */
  recordRefusal(refusal: {
    readonly slot: Slot;
    readonly secretVersion: string;
    readonly ttlSeconds: number;
  }): Promise<void>;
  clearRefusals(connection: string): Promise<void>;
}

export interface Claim {
  readonly slot: Slot;
  readonly leaseId: string;
  readonly now: number;
  readonly leaseUntil: number;
  readonly notBefore: number;
  readonly ttlSeconds: number;
  /** The record that the claim rests on; undefined where there was no item. */
  readonly seen: SlotRecord | undefined;
}

export interface Publication {
  readonly slot: Slot;
  readonly leaseId: string;
  /** The generation that was current when the lease was taken; the new one follows it. */
  readonly seenGeneration: number;
  readonly token: SealedToken;
  readonly dueAt: number;
  readonly ttlSeconds: number;
  /** Where a caller is waiting for this very token. */
  readonly lastHandedOutAt?: number;
  /** The secret version that stays refused: a slide proves nothing about the credential. */
  readonly refusedVersion?: string;
}

export interface FailedAttempt {
  readonly slot: Slot;
  readonly leaseId: string;
  readonly code: BrokerErrorCode;
  readonly at: number;
  readonly notBefore: number;
  /** When the schedule tries again; undefined takes the slot off the schedule. */
  readonly dueAt?: number;
  readonly refusedVersion?: string;
  /** The count of tries to go back to, where this one is not to count. */
  readonly tries?: number;
  readonly ttlSeconds: number;
}

export interface DueSlot {
  readonly slot: Slot;
  readonly dueAt: number;
}

/** The slots of a connection refused under one secret version with no success between. */
export interface Refusals {
  readonly secretVersion: string;
  readonly slots: number;
}

/** What the proxy writes of a slot beyond what every function does. Throws `store_unavailable`. */
export interface ProxyStore {
  /** Puts a slid token in place as the next generation, if the one used is current and no lease is live. */
  adopt(slide: {
    readonly slot: Slot;
    readonly seenGeneration: number;
    /** Hash of the token that the call was made with. */
    readonly usedHash: string;
    readonly token: SealedToken;
    readonly dueAt: number;
    readonly ttlSeconds: number;
    readonly now: number;
  }): Promise<boolean>;
  /** Keeps callers' word from renewing this slot until then (H17). */
  barRenewal(bar: { readonly slot: Slot; readonly generation: number; readonly until: number }): Promise<boolean>;
  /**
   * Takes the lease for the time of one call, if no other is live and the generation is the one seen. Unlike a claim
   * to mint it counts as no try and minds no back-off: the token is good.
   */
  beginCall(claim: {
    readonly slot: Slot;
    readonly leaseId: string;
    readonly now: number;
    readonly leaseUntil: number;
    /** The item's new end; epoch seconds. */
    readonly ttlSeconds: number;
    readonly seen: SlotRecord;
  }): Promise<boolean>;
}
