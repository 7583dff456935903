import type { BrokerErrorCode } from '../words/errors.ts';
import { EMPTY_RECORD, type Lease, type SealedToken, type SlotRecord } from './record.ts';

/**
 * Every conditional write to a slot's item, as data: what must be true of the item, and what changes then. A store runs
 * them; it knows how, and none of the rules. A change that finds one condition false writes nothing.
 */
export interface Change {
  readonly name: ChangeName;
  readonly onlyIf: readonly Condition[];
  readonly set?: Values;
  /** Values for fields that are absent; those that are there stay. */
  readonly setIfAbsent?: Values;
  /** Adds to a number; an absent one counts as 0. */
  readonly add?: Readonly<Partial<Record<'generation' | 'tries' | 'fence', number>>>;
  readonly clear?: readonly Field[];
}

/** `is` undefined: absent. `atMost` and `below` also hold where the field is absent. An absent number reads as 0. */
export type Condition =
  | { readonly item: 'present' | 'absent' }
  | { readonly field: Field | LeaseField | 'token.hash'; readonly is: string | number | undefined }
  | { readonly field: Field | LeaseField; readonly atMost: number }
  | { readonly field: Field; readonly below: number }
  | { readonly field: 'token'; readonly present: true };

export type Field = keyof SlotRecord;
export type LeaseField = 'lease.id' | 'lease.until' | 'lease.begunBy';
/** Values by field; a field that is undefined stays as it is. */
export type Values = { readonly [F in Field]?: SlotRecord[F] | undefined } & { readonly 'lease.begunBy'?: string };

/** A claim on the lease of a slot. */
export interface Claim {
  readonly leaseId: string;
  readonly now: number;
  readonly leaseUntil: number;
  /** The back-off that holds should the holder never come back. */
  readonly notBefore: number;
  readonly ttlSeconds: number;
  /** The record that the claim rests on; undefined where there was no item. */
  readonly seen: SlotRecord | undefined;
}

export interface Publication {
  readonly leaseId: string;
  /** The generation that was current when the lease was taken; the new one follows it. */
  readonly seenGeneration: number;
  readonly token: SealedToken;
  readonly dueAt: number;
  readonly ttlSeconds: number;
  /** Where a caller is waiting for this very token. */
  readonly lastHandedOutAt?: number | undefined;
  /** The secret version that stays refused: a slide proves nothing about the credential. */
  readonly refusedVersion?: string | undefined;
}

export interface FailedAttempt {
  readonly leaseId: string;
  readonly code: BrokerErrorCode;
  readonly at: number;
  readonly notBefore: number;
  /** When the schedule tries again; undefined takes the slot off the schedule. */
  readonly dueAt?: number | undefined;
  readonly refusedVersion?: string | undefined;
  /** The count of tries to go back to, where this one is not to count. */
  readonly tries?: number | undefined;
  readonly ttlSeconds: number;
}

/** A slid token to put in the place of the one that a call was made with. */
export interface Adoption {
  readonly seenGeneration: number;
  readonly usedHash: string;
  readonly token: SealedToken;
  readonly dueAt: number;
  readonly ttlSeconds: number;
  readonly now: number;
}

const present = { item: 'present' } as const;
const holds = (leaseId: string): Condition => ({ field: 'lease.id', is: leaseId });
const generationIs = (seen: number): Condition => ({ field: 'generation', is: seen });
/** Generations begin anew with an item that has expired and come back; a hash never comes back. */
const tokenIs = (token: Pick<SealedToken, 'hash'> | undefined): Condition => ({ field: 'token.hash', is: token?.hash });
const leaseIs = (lease: Lease | undefined): Condition => ({ field: 'lease.id', is: lease?.id });

const BACK_OFF_AND_REJECTION = ['notBefore', 'tries', 'failure', 'rejectedGeneration'] as const;
const FAILURE_AND_REJECTION = [...BACK_OFF_AND_REJECTION, 'refusedVersion'] as const;

/** The writes of a slot. */
export const changes = {
  /** Takes the lease, if nothing has happened to the slot since it was read and no back-off is on. */
  acquire: ({ leaseId, now, leaseUntil, notBefore, ttlSeconds, seen }: Claim): Change => ({
    name: 'acquire',
    onlyIf:
      seen === undefined
        ? [{ item: 'absent' }]
        : [
            generationIs(seen.generation),
            tokenIs(seen.token),
            { field: 'fence', is: seen.fence },
            { field: 'rejectedGeneration', is: seen.rejectedGeneration },
            leaseIs(seen.lease),
            { field: 'notBefore', atMost: now },
          ],
    set: { lease: { id: leaseId, until: leaseUntil }, notBefore, ttlSeconds, generation: seen?.generation ?? 0 },
    add: { tries: 1, fence: 1 },
  }),

  /** Marks a held lease as begun, once. */
  begin: ({ leaseId, begunBy }: { leaseId: string; begunBy: string }): Change => ({
    name: 'begin',
    onlyIf: [holds(leaseId), { field: 'lease.begunBy', is: undefined }],
    set: { 'lease.begunBy': begunBy },
  }),

  /** Puts the next generation in the place of lease, failure and rejection; of the refusal too, if it was disproved. */
  publish: ({
    leaseId,
    seenGeneration,
    token,
    dueAt,
    ttlSeconds,
    lastHandedOutAt,
    refusedVersion,
  }: Publication): Change => ({
    name: 'publish',
    onlyIf: [holds(leaseId), generationIs(seenGeneration)],
    set: { token, generation: seenGeneration + 1, dueAt, ttlSeconds, lastHandedOutAt, refusedVersion },
    clear: ['lease', ...(refusedVersion === undefined ? FAILURE_AND_REJECTION : BACK_OFF_AND_REJECTION)],
  }),

  /** Ends a held lease with a failure and its back-off. */
  fail: ({ leaseId, code, at, notBefore, dueAt, refusedVersion, tries, ttlSeconds }: FailedAttempt): Change => ({
    name: 'fail',
    onlyIf: [holds(leaseId)],
    set: { notBefore, failure: { code, at }, ttlSeconds, refusedVersion, tries, dueAt },
    clear: ['lease', ...offSchedule(dueAt)],
  }),

  /** Ends a held lease and nothing else. */
  release: ({ leaseId }: { leaseId: string }): Change => ({
    name: 'release',
    onlyIf: [holds(leaseId)],
    clear: ['lease'],
  }),

  /** Notes that a refresh was asked for, if nobody did since `notSince`. */
  askRefresh: ({ generation, now, notSince }: { generation: number; now: number; notSince: number }): Change => ({
    name: 'askRefresh',
    onlyIf: [present, generationIs(generation), { field: 'refreshAskedAt', below: notSince }],
    set: { refreshAskedAt: now },
  }),

  /** Notes a hand-out, if none was noted since `notSince`; puts a slot that is off the schedule on it where `dueAt` is given. */
  recordUse: ({ now, notSince, dueAt }: { now: number; notSince: number; dueAt?: number | undefined }): Change => ({
    name: 'recordUse',
    onlyIf: [present, { field: 'lastHandedOutAt', below: notSince }],
    set: { lastHandedOutAt: now },
    setIfAbsent: { dueAt },
  }),

  /** Notes that the current token was reported dead. */
  markRejected: ({ generation, hash }: { generation: number; hash: string }): Change => ({
    name: 'markRejected',
    onlyIf: [generationIs(generation), tokenIs({ hash })],
    set: { rejectedGeneration: generation },
  }),

  /** Moves the slot on the schedule, or takes it off where `dueAt` is undefined. */
  reschedule: ({
    generation,
    lastHandedOutAt,
    dueAt,
  }: {
    generation: number;
    lastHandedOutAt: number;
    dueAt?: number | undefined;
  }): Change => ({
    name: 'reschedule',
    onlyIf: [present, generationIs(generation), { field: 'lastHandedOutAt', is: lastHandedOutAt }],
    set: { dueAt },
    clear: offSchedule(dueAt),
  }),

  /** Drops token, failure and rejection. Never touches a lease: its holder finds that the generation has moved on. */
  purge: ({ ttlSeconds }: { ttlSeconds: number }): Change => ({
    name: 'purge',
    onlyIf: [present],
    set: { ttlSeconds },
    add: { generation: 1 },
    clear: ['token', ...FAILURE_AND_REJECTION, 'dueAt', 'renewalBarredUntil'],
  }),

  /** Ends a back-off and keeps the refusal; puts the slot on the schedule where `dueAt` is given. */
  endBackOff: ({ dueAt }: { dueAt?: number | undefined }): Change => ({
    name: 'endBackOff',
    onlyIf: [present],
    set: { dueAt },
    clear: ['notBefore'],
  }),

  /** A slid token in the place of the one that was used; a refused secret version stays refused. */
  adopt: ({ seenGeneration, usedHash, token, dueAt, ttlSeconds, now }: Adoption): Change => ({
    name: 'adopt',
    onlyIf: [generationIs(seenGeneration), tokenIs({ hash: usedHash }), { field: 'lease.until', atMost: now }],
    set: { token, generation: seenGeneration + 1, dueAt, ttlSeconds },
    clear: BACK_OFF_AND_REJECTION,
  }),

  /** Keeps callers' word from renewing the slot until then (H17). */
  barRenewal: ({ generation, until }: { generation: number; until: number }): Change => ({
    name: 'barRenewal',
    onlyIf: [generationIs(generation), { field: 'token', present: true }],
    set: { renewalBarredUntil: until },
  }),

  /** The lease for one proxied call: no try, and under no back-off, since the token is good. */
  beginCall: ({
    leaseId,
    leaseUntil,
    ttlSeconds,
    seen,
  }: Pick<Claim, 'leaseId' | 'leaseUntil' | 'ttlSeconds'> & { seen: SlotRecord }): Change => ({
    name: 'beginCall',
    onlyIf: [
      generationIs(seen.generation),
      { field: 'token', present: true },
      tokenIs(seen.token),
      leaseIs(seen.lease),
    ],
    set: { lease: { id: leaseId, until: leaseUntil }, ttlSeconds },
    add: { fence: 1 },
  }),
} as const;

export type ChangeName = keyof typeof changes;

function offSchedule(dueAt: number | undefined): readonly Field[] {
  return dueAt === undefined ? ['dueAt'] : [];
}

/** Reports whether a change may be made to a record; undefined is a slot without an item. */
export function holdsFor(change: Change, record: SlotRecord | undefined): boolean {
  return change.onlyIf.every((condition) => {
    if ('item' in condition) return (record !== undefined) === (condition.item === 'present');
    const value = valueAt(record ?? EMPTY_RECORD, condition.field);
    if ('present' in condition) return value !== undefined;
    if ('is' in condition) return value === condition.is;
    const number = typeof value === 'number' ? value : 0;
    return number === 0 || ('below' in condition ? number < condition.below : number <= condition.atMost);
  });
}

/** The record after a change whose conditions hold. */
export function changed(change: Change, record: SlotRecord = EMPTY_RECORD): SlotRecord {
  const { set = {}, setIfAbsent = {}, add = {}, clear = [] } = change;
  const next: Record<string, unknown> = { ...record };
  for (const field of clear) {
    if (field in EMPTY_RECORD) next[field] = 0;
    else delete next[field];
  }
  for (const [field, value] of Object.entries(setIfAbsent)) next[field] ??= value;
  for (const [field, value] of Object.entries(set))
    if (value !== undefined && field !== 'lease.begunBy') next[field] = value;
  for (const [field, value] of Object.entries(add)) next[field] = Number(record[field as 'tries']) + Number(value);
  const begunBy = set['lease.begunBy'];
  if (begunBy !== undefined) next['lease'] = { ...record.lease, begunBy };
  for (const field of Object.keys(next)) if (next[field] === undefined) delete next[field];
  return next as unknown as SlotRecord;
}

function valueAt(record: SlotRecord, field: Field | LeaseField | 'token.hash'): unknown {
  switch (field) {
    case 'lease.id':
      return record.lease?.id;
    case 'lease.until':
      return record.lease?.until;
    case 'lease.begunBy':
      return record.lease?.begunBy;
    case 'token.hash':
      return record.token?.hash;
    default:
      return record[field];
  }
}
