import type { BrokerErrorCode } from '../words/errors.ts';
import type { Change, Condition } from './change.ts';
import type { MintWay } from './mint-message.ts';
import type { Lease, SealedToken, SlotRecord } from './record.ts';

/*
 * Every conditional write to a slot's item. Import the module as a whole, as `changes`: a bundle then contains only the
 * changes that its function makes.
 */

/** A write to a slot's item. */
export type SlotChange = Change<SlotRecord>;

/** A claim on the lease of a slot. */
export interface Claim {
  readonly leaseId: string;
  readonly now: number;
  readonly leaseUntil: number;
  /** The way that it is taken for, whose back-off it heeds and writes; a login by default. */
  readonly way?: MintWay;
  /** The back-off that holds if the holder never comes back. */
  readonly notBefore: number;
  readonly ttlSeconds: number;
  /** The record that the claim depends on; undefined if there was no item. */
  readonly seen: SlotRecord | undefined;
}

export interface Publication {
  readonly leaseId: string;
  /** The generation that was current when the lease was taken; the new one follows it. */
  readonly seenGeneration: number;
  readonly token: SealedToken;
  readonly dueAt: number;
  readonly ttlSeconds: number;
  /** Set if a caller is waiting for this token. */
  readonly lastHandedOutAt?: number | undefined;
  /** Set if a refused secret version stays refused: a slide proves nothing about the credential. */
  readonly keepsRefusal: boolean;
  /** Set if the slot was asked to prove the version that brought this token. */
  readonly provesVersion?: boolean;
}

export interface EndedAttempt {
  readonly leaseId: string;
  /** The way that failed, a login by default; the other's back-off stays as it is. */
  readonly way?: MintWay;
  readonly code: BrokerErrorCode;
  readonly at: number;
  readonly evidence?: string | undefined;
  readonly notBefore: number;
  /** Time of the next scheduled try; undefined takes the slot off the schedule. */
  readonly dueAt?: number | undefined;
  readonly refusedVersion?: string | undefined;
  /** Set if the slot's earlier refusal was no fault of the credential. */
  readonly forgetsRefusal?: boolean | undefined;
  /** Count of logins to go back to, if this one does not count. */
  readonly tries?: number | undefined;
  readonly ttlSeconds?: number;
  /** The record that `dueAt` rests on, if on any. A purge and a new version of the secret end its back-off. */
  readonly seen?: Pick<SlotRecord, 'notBefore'>;
  /** Set where nobody may have begun but this invocation; undefined: nobody at all. */
  readonly begunBy?: string | undefined;
}

/** A slid token that replaces the one that a call was made with. */
export interface Adoption {
  readonly seenGeneration: number;
  readonly usedHash: string;
  readonly token: SealedToken;
  readonly dueAt: number;
  readonly ttlSeconds: number;
  readonly now: number;
}

const isPresent = { item: 'present' } as const;
const holds = (leaseId: string): Condition<SlotRecord> => ({ field: 'lease.id', is: leaseId });
const generationIs = (seen: number): Condition<SlotRecord> => ({ field: 'generation', is: seen });
/** Compares hashes, since generations start again at 0 once an item has expired, while a hash never comes back. */
const tokenIs = (token: Pick<SealedToken, 'hash'> | undefined): Condition<SlotRecord> => ({
  field: 'token.hash',
  is: token?.hash,
});
const turnsAre = ({ turns }: Pick<SlotRecord, 'turns'>): Condition<SlotRecord> => ({ field: 'turns', is: turns });
const leaseIs = (lease: Lease | undefined): Condition<SlotRecord> => ({ field: 'lease.id', is: lease?.id });

const BACK_OFF = ['notBefore', 'tries', 'failure', 'renewalNotBefore', 'renewalTries', 'renewalFailure'] as const;
const FAILURE = [...BACK_OFF, 'refusedVersion'] as const;

/** Takes the lease for a login or a renewal, if nothing has happened to the slot and that one has no back-off. */
export const acquire = ({
  leaseId,
  now,
  leaseUntil,
  way = 'login',
  notBefore,
  ttlSeconds,
  seen,
}: Claim): SlotChange => ({
  name: 'acquire',
  onlyIf:
    seen === undefined
      ? [{ item: 'absent' }]
      : [
          generationIs(seen.generation),
          tokenIs(seen.token),
          { field: 'token.publicationId', is: seen.token?.publicationId },
          { field: 'fence', is: seen.fence },
          { field: 'rejectedGeneration', is: seen.rejectedGeneration },
          leaseIs(seen.lease),
          { field: way === 'login' ? 'notBefore' : 'renewalNotBefore', atMost: now },
        ],
  set: {
    lease: { id: leaseId, until: leaseUntil },
    ...(way === 'login' ? { notBefore } : { renewalNotBefore: notBefore }),
    ttlSeconds,
  },
  add: { ...(way === 'login' ? { tries: 1 } : { renewalTries: 1 }), fence: 1 },
});

/**
 * Goes over from a renewal to a login under a held lease, if the logins have no back-off, and writes that of this one.
 * After a purge its token would be discarded. If `isRejected`, the upstream has rejected the token.
 */
export const turnToLogin = ({
  leaseId,
  seenGeneration,
  now,
  notBefore,
  isRejected,
}: Pick<Claim, 'leaseId' | 'now' | 'notBefore'> & {
  readonly seenGeneration: number;
  readonly isRejected: boolean;
}): SlotChange => ({
  name: 'turnToLogin',
  onlyIf: [holds(leaseId), generationIs(seenGeneration), { field: 'notBefore', atMost: now }],
  set: { notBefore, rejectedGeneration: isRejected ? seenGeneration : undefined },
  add: { tries: 1 },
});

/** Marks a held lease as begun, once. */
export const begin = ({ leaseId, begunBy }: { leaseId: string; begunBy: string }): SlotChange => ({
  name: 'begin',
  onlyIf: [holds(leaseId), { field: 'lease.begunBy', is: undefined }],
  set: { 'lease.begunBy': begunBy },
});

/** Publishes the next generation; clears lease and failure, and the refusal if a login disproved it. */
export const publish = ({
  leaseId,
  seenGeneration,
  token,
  dueAt,
  ttlSeconds,
  lastHandedOutAt,
  keepsRefusal,
  provesVersion = false,
}: Publication): SlotChange => ({
  name: 'publish',
  onlyIf: [holds(leaseId), generationIs(seenGeneration)],
  set: { token, generation: seenGeneration + 1, dueAt, ttlSeconds, lastHandedOutAt },
  clear: ['lease', ...(keepsRefusal ? BACK_OFF : FAILURE), ...(provesVersion ? (['unprovenVersion'] as const) : [])],
});

/** Ends a held lease with a failure and the back-off of the way that failed. */
export const fail = ({
  leaseId,
  way = 'login',
  code,
  at,
  evidence,
  notBefore,
  dueAt,
  refusedVersion,
  forgetsRefusal = false,
  tries,
  ttlSeconds,
  seen,
  ...begun
}: EndedAttempt): SlotChange => {
  const isAsSeen: Condition<SlotRecord>[] = seen === undefined ? [] : [{ field: 'notBefore', is: seen.notBefore }];
  const isUnbegun: Condition<SlotRecord>[] = 'begunBy' in begun ? [{ field: 'lease.begunBy', is: begun.begunBy }] : [];
  const failure = { code, at, evidence };
  const failed =
    way === 'login'
      ? { notBefore, failure, refusedVersion, tries }
      : { renewalNotBefore: notBefore, renewalFailure: failure };
  return {
    name: 'fail',
    onlyIf: [holds(leaseId), ...isAsSeen, ...isUnbegun],
    set: { ...failed, ttlSeconds, dueAt },
    clear: ['lease', ...offSchedule(dueAt), ...(forgetsRefusal ? (['refusedVersion'] as const) : [])],
  };
};

/** Ends a held lease and nothing else. */
export const release = ({ leaseId }: { leaseId: string }): SlotChange => ({
  name: 'release',
  onlyIf: [holds(leaseId)],
  clear: ['lease'],
});

/** Shortens a held lease, so that whoever waits for it looks again at `until`. The attempt does not count as a try. */
export const defer = ({ leaseId, until, tries }: { leaseId: string; until: number; tries: number }): SlotChange => ({
  name: 'defer',
  onlyIf: [holds(leaseId)],
  set: { 'lease.until': until, notBefore: until, tries },
});

/** Notes that a refresh was asked for, if nobody did since `notSince`. */
export const askRefresh = ({
  generation,
  now,
  notSince,
}: Record<'generation' | 'now' | 'notSince', number>): SlotChange => ({
  name: 'askRefresh',
  onlyIf: [generationIs(generation), { field: 'refreshAskedAt', below: notSince }],
  set: { refreshAskedAt: now },
});

/** Notes a hand-out, if none was noted since `notSince`. With `dueAt`, a slot off the schedule returns to it. */
export const recordUse = ({
  now,
  notSince,
  dueAt,
}: Pick<SlotRecord, 'dueAt'> & { now: number; notSince: number }): SlotChange => ({
  name: 'recordUse',
  onlyIf: [isPresent, { field: 'lastHandedOutAt', below: notSince }],
  set: { lastHandedOutAt: now },
  setIfAbsent: { dueAt },
});

/** Notes that the current token was reported dead. */
export const markRejected = ({
  generation,
  hash,
  reports,
  reportedAt,
}: Pick<SlotRecord, 'generation' | 'reports' | 'reportedAt'> & { hash: string }): SlotChange => ({
  name: 'markRejected',
  onlyIf: [generationIs(generation), tokenIs({ hash })],
  set: { rejectedGeneration: generation, reports, reportedAt },
});

/** Moves the slot on the schedule, or takes it off if `dueAt` is undefined. */
export const reschedule = ({
  generation,
  lastHandedOutAt,
  dueAt,
}: Pick<SlotRecord, 'generation' | 'lastHandedOutAt' | 'dueAt'>): SlotChange => ({
  name: 'reschedule',
  onlyIf: [isPresent, generationIs(generation), { field: 'lastHandedOutAt', is: lastHandedOutAt }],
  set: { dueAt },
  clear: offSchedule(dueAt),
});

/** Drops token and failure. Never touches a lease: its holder finds that the generation has moved on. */
export const purge = ({ ttlSeconds }: { ttlSeconds: number }): SlotChange => ({
  name: 'purge',
  onlyIf: [isPresent],
  set: { ttlSeconds },
  add: { generation: 1 },
  clear: ['token', ...FAILURE, 'dueAt', 'renewalBarredUntil', 'reports', 'reportedAt'],
});

/** Shortens the back-off that was read, which is not 0; the refusal stays. `dueAt` moves the slot on the schedule. */
export const endBackOff = (
  { notBefore: seen }: Pick<SlotRecord, 'notBefore'>,
  set: { notBefore: number; dueAt?: number | undefined },
): SlotChange => ({ name: 'endBackOff', onlyIf: [{ field: 'notBefore', is: seen }], set });

/**
 * Asks a slot, good token or not, to prove a version of the secret by a login, if nobody is at work for it. Whoever has
 * read the slot before takes no lease: the fence is another.
 */
export const askProof = (
  { lease }: Pick<SlotRecord, 'lease'>,
  set: { unprovenVersion: string; dueAt: number },
): SlotChange => ({ name: 'askProof', onlyIf: [isPresent, leaseIs(lease)], set, add: { fence: 1 } });

/** Notes that a version which the slot was to prove has been judged. As after `askProof` the fence is another. */
export const endProof = ({ version }: { version: string }): SlotChange => ({
  name: 'endProof',
  onlyIf: [{ field: 'unprovenVersion', is: version }],
  add: { fence: 1 },
  clear: ['unprovenVersion'],
});

/** Replaces the token that was used with a slid one; a refused secret version stays refused. */
export const adopt = ({ seenGeneration, usedHash, token, dueAt, ttlSeconds, now }: Adoption): SlotChange => ({
  name: 'adopt',
  onlyIf: [generationIs(seenGeneration), tokenIs({ hash: usedHash }), { field: 'lease.until', atMost: now }],
  set: { token, generation: seenGeneration + 1, dueAt, ttlSeconds },
  clear: BACK_OFF,
});

/** Makes the slot ignore callers' reports of this token until `until` (H17). */
export const barRenewal = ({ hash, until }: { hash: string; until: number }): SlotChange => ({
  name: 'barRenewal',
  onlyIf: [tokenIs({ hash })],
  set: { renewalBarredUntil: until },
});

/** Replaces the turns of proxied calls as they were read: one call joins the line or leaves it. */
export const changeTurns = ({ seen, turns }: { seen: SlotRecord; turns: string }): SlotChange => ({
  name: 'changeTurns',
  onlyIf: [isPresent, turnsAre(seen)],
  set: { turns },
});

/**
 * Takes the lease for one proxied call, whose turn it is. It counts as no try and heeds no back-off, since the token is
 * good.
 */
export const beginCall = ({
  leaseId,
  leaseUntil,
  ttlSeconds,
  seen,
  turns,
}: Pick<Claim, 'leaseId' | 'leaseUntil' | 'ttlSeconds'> & {
  seen: SlotRecord & { readonly token: SealedToken };
  turns: string;
}): SlotChange => ({
  name: 'beginCall',
  onlyIf: [generationIs(seen.generation), tokenIs(seen.token), leaseIs(seen.lease), turnsAre(seen)],
  set: { lease: { id: leaseId, until: leaseUntil }, ttlSeconds, turns },
  add: { fence: 1 },
});

/**
 * Takes the lease for a request that is no attempt of the slot's own, a logout or a candidate, if token and lease are
 * as read. It counts as no try and heeds no back-off.
 */
export const borrow = ({
  leaseId,
  leaseUntil,
  ttlSeconds,
  seen,
}: Pick<Claim, 'leaseId' | 'leaseUntil' | 'ttlSeconds' | 'seen'>): SlotChange => ({
  name: 'borrow',
  onlyIf: seen === undefined ? [{ item: 'absent' }] : [tokenIs(seen.token), leaseIs(seen.lease)],
  set: { lease: { id: leaseId, until: leaseUntil }, ttlSeconds },
  add: { fence: 1 },
});

function offSchedule(dueAt: number | undefined): readonly 'dueAt'[] {
  return dueAt === undefined ? ['dueAt'] : [];
}
