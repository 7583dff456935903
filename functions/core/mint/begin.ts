import { backOffMs } from '../slot/back-off.ts';
import * as changes from '../slot/changes.ts';
import { createClaim } from '../slot/claim.ts';
import type { Connection } from '../slot/connection.ts';
import { mintWindowMs } from '../slot/lease.ts';
import { isJudged } from '../slot/logins.ts';
import type { MintReply, MintRequest, MintWay } from '../slot/mint-message.ts';
import { findUseBy, isLapsing, type NextWay, nextWay } from '../slot/next-way.ts';
import { EMPTY_RECORD, hasUsableToken, isRejected, liveLease, type SlotRecord } from '../slot/record.ts';
import { isServed, type Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { takeLease } from '../slot/take-lease.ts';
import { BrokerError, type BrokerErrorCode } from '../words/errors.ts';
import type { Clock, Random } from '../words/platform.ts';
import type { Secrets } from './secrets.ts';

/** Lease under which this invocation of `mint` works. */
export interface Held {
  readonly leaseId: string;
  /** Time at which the lease was taken; epoch milliseconds by the clock of its taker. */
  readonly takenAt: number;
  /** Way that the lease was taken for; a login once that has followed a renewal. */
  readonly way: MintWay;
  /** Record of the slot when the work began. */
  readonly record: SlotRecord;
}

/** Shortest rest of its window in which a holder begins. */
const SHORTEST_WINDOW_MS = 1_500;
/** Most tries to end a lease under which nothing was sent, and the pause before each. */
const RELEASE_ROUNDS = 4;
const SHORTEST_RELEASE_PAUSE_MS = 100;

/**
 * Creates the start of an attempt: under a lease that the invoker took, or under one taken here. Returns a reply if
 * there is nothing to do, or somebody else is doing it.
 */
export function createBeginAttempt({
  store,
  secrets,
  clock,
  random,
}: {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
}): (request: MintRequest, connection: Connection, slot: Slot) => Promise<Held | MintReply> {
  /** Begins under the invoker's lease. Returns `busy` if another invocation has begun, or this one comes too late. */
  async function begin(
    { candidate }: MintRequest,
    lease: NonNullable<MintRequest['lease']>,
    connection: Connection,
    slot: Slot,
  ): Promise<Held | MintReply> {
    const leftMs = lease.takenAt + mintWindowMs(connection) - clock.now();
    if (leftMs < SHORTEST_WINDOW_MS) return { outcome: 'busy' };
    const begunBy = random.uuid();
    try {
      const begun = await store.writeAndRead(slot, changes.begin({ leaseId: lease.id, begunBy }));
      const record = begun ?? (await store.read(slot, { consistent: true }));
      if (record?.lease?.id !== lease.id || record.lease.begunBy !== begunBy) return { outcome: 'busy' };
      return { leaseId: lease.id, takenAt: lease.takenAt, way: lease.way ?? 'login', record };
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      // A lease that is borrowed runs out by itself: the back-off of what was not sent would end the slot's own.
      const isBorrowed = candidate === true;
      const retryAfterMs = isBorrowed ? undefined : await releaseUnsent(lease, slot, begunBy, error.code);
      throw new BrokerError(error.code, error.detail, { retryAfterMs });
    }
  }

  /**
   * Ends a lease under which this invocation could not begin, with the back-off of a request that was not sent, and
   * returns that back-off. Returns undefined if another invocation has begun under the lease, or if the store keeps
   * failing: then the lease runs out by itself.
   */
  async function releaseUnsent(
    { id: leaseId, way = 'login' }: NonNullable<MintRequest['lease']>,
    slot: Slot,
    begunBy: string,
    code: BrokerErrorCode,
  ): Promise<number | undefined> {
    for (let round = 0; round < RELEASE_ROUNDS; round += 1) {
      await clock.sleep(SHORTEST_RELEASE_PAUSE_MS * (1 + random.fraction()));
      const retryAfterMs = backOffMs('not_judged', 1, random);
      const at = clock.now();
      const ended = { leaseId, way, code, at, notBefore: at + retryAfterMs, dueAt: at + retryAfterMs };
      try {
        // Whether `begin` was written is unknown.
        const isEnded =
          (await store.write(slot, changes.fail({ ...ended, begunBy: undefined }))) ||
          (await store.write(slot, changes.fail({ ...ended, begunBy })));
        return isEnded ? retryAfterMs : undefined;
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
      }
    }
    return undefined;
  }

  /** Takes the lease for the schedule or a reader, if the slot needs a new token. */
  async function acquire(request: MintRequest, connection: Connection, slot: Slot): Promise<Held | MintReply> {
    const seen = await store.read(slot, { consistent: true });
    const isForgotten = request.trigger === 'schedule' && isUnused(connection, seen);
    if (seen === undefined && !isForgotten) return { outcome: 'idle' };
    const record = seen ?? EMPTY_RECORD;
    const now = clock.now();
    const { generation, lastHandedOutAt } = record;
    const reschedule = async (dueAt?: number): Promise<void> => {
      if (request.trigger !== 'schedule' || record.dueAt === dueAt) return;
      await store.write(slot, changes.reschedule({ generation, lastHandedOutAt, dueAt }));
    };

    const useBy = findUseBy(connection, record.token);
    const isIdle = now - lastHandedOutAt > connection.idleSeconds * 1000 && now < (useBy ?? Infinity);
    if (request.trigger === 'schedule' && isIdle && !isForgotten) {
      await reschedule(useBy);
      return { outcome: 'idle' };
    }
    const { unprovenVersion } = record;
    if (unprovenVersion !== undefined && (await isCurrentJudged(connection))) {
      await store.write(slot, changes.endProof({ version: unprovenVersion }));
      return acquire(request, connection, slot);
    }
    const isToProve = unprovenVersion !== undefined;
    const isFresh = hasUsableToken(record, now, connection.minTtlSeconds) && now < record.token.refreshAt;
    if (isFresh && !isRejected(record) && !isToProve) {
      await reschedule(record.token.refreshAt);
      return { outcome: 'current' };
    }
    if (liveLease(record, now) !== undefined) return { outcome: 'waiting' };
    const next = isToProve ? loginFrom(record.notBefore, now) : nextWay(connection, record, now);
    if (next.way === 'none') {
      await reschedule(next.until);
      return { outcome: 'waiting' };
    }
    const claim = createClaim(connection, seen, { now, random, way: next.way });
    const taken = await takeLease(store, slot, claim, changes.acquire(claim));
    // Nobody else knows this lease, so it needs no `begin` to exclude other invocations.
    if (taken.isOurs) return { leaseId: claim.leaseId, takenAt: now, way: claim.way, record: taken.record };
    if (taken.error !== undefined) throw taken.error;
    return { outcome: 'waiting' };
  }

  /** Reports whether the current version of a connection's secret is proven or refused: no slot must prove it. */
  async function isCurrentJudged({ name, secret }: Connection): Promise<boolean> {
    const [current, logins] = await Promise.all([secrets.current({ secret, maxAgeMs: 0 }), store.logins(name)]);
    return logins !== undefined && isJudged(logins, current.versionId);
  }

  return async (request, connection, slot) => {
    if (request.fingerprint !== slot.fingerprint || !isServed(slot.subject, connection.subjects))
      return retire(request, connection);
    if (request.lease !== undefined) return begin(request, request.lease, connection, slot);
    return acquire(request, connection, slot);
  };

  /** Takes a slot that is no longer configured off the schedule, since nobody hands its token out any more. */
  async function retire(request: MintRequest, connection: Connection): Promise<MintReply> {
    if (request.lease !== undefined) return { outcome: 'busy' };
    const slot = { connection: connection.name, subject: request.subject, fingerprint: request.fingerprint };
    const record = await store.read(slot, { consistent: true });
    if (record?.dueAt !== undefined) {
      const { generation, lastHandedOutAt } = record;
      await store.write(slot, changes.reschedule({ generation, lastHandedOutAt }));
    }
    return { outcome: 'idle' };
  }
}

/** Reports whether a refresh token lapses that nothing would use: the slot has no token and is on no schedule. */
function isUnused(connection: Connection, record: SlotRecord | undefined): boolean {
  return isLapsing(connection) && record?.token === undefined && record?.dueAt === undefined;
}

/** Returns a login as the way to the next token, once its back-off is over. */
function loginFrom(notBefore: number, now: number): NextWay {
  return notBefore <= now ? { way: 'login' } : { way: 'none', until: notBefore };
}
