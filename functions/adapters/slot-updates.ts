import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Claim, FailedAttempt, Publication, Store } from '../core/ports.ts';
import type { ProxyStore } from '../core/proxy-ports.ts';
import type { Slot } from '../core/slot.ts';
import type { Lease, SealedToken } from '../core/slot-record.ts';
import type { Update } from './dynamodb-update.ts';
import {
  dueAttributes,
  keyOf,
  LEASE_ATTRIBUTES,
  number,
  TOKEN_ATTRIBUTES,
  text,
  tokenAttributes,
} from './slot-item.ts';

/** What a method of the store is given. */
type Argument<Method extends keyof (Store & ProxyStore)> = Parameters<(Store & ProxyStore)[Method]>[0];

const BACK_OFF_AND_REJECTION = ['notBefore', 'tries', 'failCode', 'failedAt', 'rejectedGen'] as const;
const FAILURE_AND_REJECTION = [...BACK_OFF_AND_REJECTION, 'badSv'] as const;
const DUE_ATTRIBUTES = ['dueAt', 'shard'] as const;

const isNew = 'attribute_not_exists(#pk)';
// Without it an update of an item that has expired meanwhile would leave a torso behind.
const exists = 'attribute_exists(#pk)';
const leaseIsMine = '#leaseId = :me';
const generationIsSeen = '#gen = :seen';
const isUnbegun = 'attribute_not_exists(#begunBy)';
// By its hash: IAM counts the attributes of conditions as written, and not every writer may write a ciphertext.
const hasToken = 'attribute_exists(#tokenHash)';
const hasNoToken = 'attribute_not_exists(#tokenHash)';
// Generations begin anew with an item that has expired; a hash never comes back.
const tokenIsTheOne = '#tokenHash = :hash';
const isUnleased = 'attribute_not_exists(#leaseId)';
const leaseIsTheLapsedOne = '#leaseId = :lapsed';
const backOffIsOver = '(attribute_not_exists(#notBefore) OR #notBefore <= :now)';
const leaseIsOver = '(attribute_not_exists(#leaseId) OR #leaseUntil <= :now)';
const notAskedSince = '(attribute_not_exists(#refreshAskedAt) OR #refreshAskedAt < :notSince)';
const notUsedSince = '(attribute_not_exists(#lastHandedOutAt) OR #lastHandedOutAt < :notSince)';

/** Takes the lease if generation, rejection, lease and back-off allow it. A lease in `seen` must have lapsed. */
export function acquireUpdate({ slot, leaseId, now, leaseUntil, notBefore, ttlSeconds, seen }: Claim): Update {
  const generation = number(seen?.generation ?? 0);
  const conditions =
    seen === undefined
      ? [isNew]
      : [
          numberIsSeen('gen', seen.generation, ':gen'),
          tokenIsSeen(seen.token),
          numberIsSeen('fence', seen.fence, ':fence'),
          numberIsSeen('rejectedGen', seen.rejectedGeneration, ':rejected'),
          leaseIsSeen(seen.lease),
          backOffIsOver,
        ];
  return {
    key: keyOf(slot),
    set: {
      leaseId: text(leaseId),
      leaseUntil: number(leaseUntil),
      notBefore: number(notBefore),
      gen: generation,
      ttl: number(ttlSeconds),
    },
    assign: ['#tries = if_not_exists(#tries, :zero) + :one', '#fence = if_not_exists(#fence, :zero) + :one'],
    remove: ['begunBy'],
    conditions,
    values: {
      zero: number(0),
      one: number(1),
      ...(seen && { now: number(now), rejected: number(seen.rejectedGeneration), fence: number(seen.fence) }),
      ...(seen?.token && { hash: text(seen.token.hash) }),
      ...(seen?.lease && { lapsed: text(seen.lease.id) }),
    },
  };
}

/** Marks a held lease as begun, once. */
export function beginUpdate({ slot, leaseId, begunBy }: Argument<'begin'>): Update {
  return {
    key: keyOf(slot),
    set: { begunBy: text(begunBy) },
    conditions: [leaseIsMine, isUnbegun],
    values: { me: text(leaseId) },
  };
}

/** Puts the token of the next generation in place of lease, failure and rejection. */
export function publishUpdate(publication: Publication): Update {
  const { slot, leaseId, seenGeneration, token, dueAt, ttlSeconds, lastHandedOutAt, refusedVersion } = publication;
  const disproved = refusedVersion === undefined ? FAILURE_AND_REJECTION : BACK_OFF_AND_REJECTION;
  return {
    key: keyOf(slot),
    set: {
      ...tokenAttributes(token),
      gen: number(seenGeneration + 1),
      ...dueAttributes(slot, dueAt),
      ttl: number(ttlSeconds),
      ...(lastHandedOutAt !== undefined && { lastHandedOutAt: number(lastHandedOutAt) }),
      ...(refusedVersion !== undefined && { badSv: text(refusedVersion) }),
    },
    remove: [...LEASE_ATTRIBUTES, ...disproved],
    conditions: [leaseIsMine, generationIsSeen],
    values: { me: text(leaseId), seen: number(seenGeneration) },
  };
}

/** Ends a held lease with a failure. */
export function failUpdate(failure: FailedAttempt): Update {
  const { slot, leaseId, code, at, notBefore, dueAt, refusedVersion, tries, ttlSeconds } = failure;
  const schedule = scheduleOf(slot, dueAt);
  return {
    key: keyOf(slot),
    set: {
      notBefore: number(notBefore),
      failCode: text(code),
      failedAt: number(at),
      ttl: number(ttlSeconds),
      ...(refusedVersion !== undefined && { badSv: text(refusedVersion) }),
      ...(tries !== undefined && { tries: number(tries) }),
      ...schedule.set,
    },
    remove: [...LEASE_ATTRIBUTES, ...schedule.remove],
    conditions: [leaseIsMine],
    values: { me: text(leaseId) },
  };
}

/** Ends a held lease. */
export function releaseUpdate({ slot, leaseId }: Argument<'release'>): Update {
  return {
    key: keyOf(slot),
    remove: LEASE_ATTRIBUTES,
    conditions: [leaseIsMine],
    values: { me: text(leaseId) },
  };
}

/** Notes that a refresh was asked for. */
export function askRefreshUpdate({ slot, generation, now, notSince }: Argument<'askRefresh'>): Update {
  return {
    key: keyOf(slot),
    set: { refreshAskedAt: number(now) },
    conditions: [generationIsSeen, notAskedSince],
    values: { seen: number(generation), notSince: number(notSince) },
  };
}

/** Notes a hand-out; a `dueAt` that is there already stays. */
export function recordUseUpdate({ slot, now, notSince, dueAt }: Argument<'recordUse'>): Update {
  const due = dueAt === undefined ? {} : dueAttributes(slot, dueAt);
  return {
    key: keyOf(slot),
    set: { lastHandedOutAt: number(now) },
    assign: Object.keys(due).map((name) => `#${name} = if_not_exists(#${name}, :${name})`),
    conditions: [exists, notUsedSince],
    values: { notSince: number(notSince), ...due },
  };
}

/** Notes that the current token was reported dead. */
export function markRejectedUpdate({ slot, generation, hash }: Argument<'markRejected'>): Update {
  return {
    key: keyOf(slot),
    set: { rejectedGen: number(generation) },
    conditions: [generationIsSeen, tokenIsTheOne],
    values: { seen: number(generation), hash: text(hash) },
  };
}

/** Moves the slot on the schedule, or takes it off. */
export function rescheduleUpdate({ slot, generation, lastHandedOutAt, dueAt }: Argument<'reschedule'>): Update {
  return {
    key: keyOf(slot),
    ...scheduleOf(slot, dueAt),
    conditions: [
      exists,
      numberIsSeen('gen', generation, ':seen'),
      numberIsSeen('lastHandedOutAt', lastHandedOutAt, ':seenUse'),
    ],
    values: { seen: number(generation), seenUse: number(lastHandedOutAt) },
  };
}

/** Drops token, failure, rejection and schedule, and advances the generation; the lease stays. */
export function purgeUpdate({ slot, ttlSeconds }: Argument<'purge'>): Update {
  return {
    key: keyOf(slot),
    set: { ttl: number(ttlSeconds) },
    assign: ['#gen = if_not_exists(#gen, :zero) + :one'],
    remove: [...TOKEN_ATTRIBUTES, ...FAILURE_AND_REJECTION, ...DUE_ATTRIBUTES, 'renewalBarredUntil'],
    conditions: [exists],
    values: { zero: number(0), one: number(1) },
  };
}

/** Ends a back-off. */
export function endBackOffUpdate({ slot, dueAt }: Argument<'endBackOff'>): Update {
  return {
    key: keyOf(slot),
    ...(dueAt !== undefined && { set: dueAttributes(slot, dueAt) }),
    remove: ['notBefore'],
    conditions: [exists],
  };
}

/** Puts a slid token in the place of the one that was used; a refused secret version stays refused. */
export function adoptUpdate(slide: Argument<'adopt'>): Update {
  const { slot, seenGeneration, usedHash, token, dueAt, ttlSeconds, now } = slide;
  return {
    key: keyOf(slot),
    set: {
      ...tokenAttributes(token),
      gen: number(seenGeneration + 1),
      ...dueAttributes(slot, dueAt),
      ttl: number(ttlSeconds),
    },
    remove: BACK_OFF_AND_REJECTION,
    conditions: [generationIsSeen, tokenIsTheOne, leaseIsOver],
    values: { seen: number(seenGeneration), hash: text(usedHash), now: number(now) },
  };
}

/** Keeps callers' word from renewing the slot for a while. */
export function barRenewalUpdate({ slot, generation, until }: Argument<'barRenewal'>): Update {
  return {
    key: keyOf(slot),
    set: { renewalBarredUntil: number(until) },
    conditions: [generationIsSeen, hasToken],
    values: { seen: number(generation) },
  };
}

/** Takes the lease for the time of one call; back-off and tries stay as they are. */
export function beginCallUpdate({ slot, leaseId, leaseUntil, ttlSeconds, seen }: Argument<'beginCall'>): Update {
  return {
    key: keyOf(slot),
    set: { leaseId: text(leaseId), leaseUntil: number(leaseUntil), ttl: number(ttlSeconds) },
    assign: ['#fence = if_not_exists(#fence, :zero) + :one'],
    remove: ['begunBy'],
    conditions: [generationIsSeen, hasToken, tokenIsSeen(seen.token), leaseIsSeen(seen.lease)],
    values: {
      seen: number(seen.generation),
      ...(seen.token && { hash: text(seen.token.hash) }),
      zero: number(0),
      one: number(1),
      ...(seen.lease && { lapsed: text(seen.lease.id) }),
    },
  };
}

// An absent number reads as 0, so 0 also matches absence.
function numberIsSeen(attribute: string, seen: number, value: string): string {
  const isEqual = `#${attribute} = ${value}`;
  return seen === 0 ? `(attribute_not_exists(#${attribute}) OR ${isEqual})` : isEqual;
}

function tokenIsSeen(token: SealedToken | undefined): string {
  return token === undefined ? hasNoToken : tokenIsTheOne;
}

function leaseIsSeen(lease: Lease | undefined): string {
  return lease === undefined ? isUnleased : leaseIsTheLapsedOne;
}

interface Schedule {
  readonly set: Readonly<Record<string, AttributeValue>>;
  readonly remove: readonly string[];
}

function scheduleOf(slot: Slot, dueAt: number | undefined): Schedule {
  return dueAt === undefined ? { set: {}, remove: DUE_ATTRIBUTES } : { set: dueAttributes(slot, dueAt), remove: [] };
}
