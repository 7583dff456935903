import type { Lease, SealedToken, SlotRecord } from './record.ts';
import { EMPTY_RECORD } from './record.ts';
import type { Claim, FailedAttempt, ProxyStore, Publication, Store } from './store.ts';

/**
 * Every conditional write to a slot's item, as data: what must be true of the item, and what changes then. A store runs
 * them; it knows how, and none of the rules. A change that finds one condition false writes nothing.
 */
export interface Change {
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

type Argument<Method extends keyof (Store & ProxyStore)> = Parameters<(Store & ProxyStore)[Method]>[0];

const present = { item: 'present' } as const;
const holds = (leaseId: string): Condition => ({ field: 'lease.id', is: leaseId });
const generationIs = (seen: number): Condition => ({ field: 'generation', is: seen });
/** Generations begin anew with an item that has expired and come back; a hash never comes back. */
const tokenIs = (token: Pick<SealedToken, 'hash'> | undefined): Condition => ({ field: 'token.hash', is: token?.hash });
const leaseIs = (lease: Lease | undefined): Condition => ({ field: 'lease.id', is: lease?.id });

const BACK_OFF_AND_REJECTION = ['notBefore', 'tries', 'failure', 'rejectedGeneration'] as const;
const FAILURE_AND_REJECTION = [...BACK_OFF_AND_REJECTION, 'refusedVersion'] as const;

/** The writes of a slot, by the name of the store's method. */
export const changes = {
  /** Takes the lease, if nothing has happened to the slot since it was read and no back-off is on. */
  acquire: ({ leaseId, now, leaseUntil, notBefore, ttlSeconds, seen }: Claim): Change => ({
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
  begin: ({ leaseId, begunBy }: Argument<'begin'>): Change => ({
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
    onlyIf: [holds(leaseId), generationIs(seenGeneration)],
    set: { token, generation: seenGeneration + 1, dueAt, ttlSeconds, lastHandedOutAt, refusedVersion },
    clear: ['lease', ...(refusedVersion === undefined ? FAILURE_AND_REJECTION : BACK_OFF_AND_REJECTION)],
  }),

  fail: ({ leaseId, code, at, notBefore, dueAt, refusedVersion, tries, ttlSeconds }: FailedAttempt): Change => ({
    onlyIf: [holds(leaseId)],
    set: { notBefore, failure: { code, at }, ttlSeconds, refusedVersion, tries, dueAt },
    clear: ['lease', ...offSchedule(dueAt)],
  }),

  release: ({ leaseId }: Argument<'release'>): Change => ({ onlyIf: [holds(leaseId)], clear: ['lease'] }),

  askRefresh: ({ generation, now, notSince }: Argument<'askRefresh'>): Change => ({
    onlyIf: [present, generationIs(generation), { field: 'refreshAskedAt', below: notSince }],
    set: { refreshAskedAt: now },
  }),

  recordUse: ({ now, notSince, dueAt }: Argument<'recordUse'>): Change => ({
    onlyIf: [present, { field: 'lastHandedOutAt', below: notSince }],
    set: { lastHandedOutAt: now },
    setIfAbsent: { dueAt },
  }),

  markRejected: ({ generation, hash }: Argument<'markRejected'>): Change => ({
    onlyIf: [generationIs(generation), tokenIs({ hash })],
    set: { rejectedGeneration: generation },
  }),

  reschedule: ({ generation, lastHandedOutAt, dueAt }: Argument<'reschedule'>): Change => ({
    onlyIf: [present, generationIs(generation), { field: 'lastHandedOutAt', is: lastHandedOutAt }],
    set: { dueAt },
    clear: offSchedule(dueAt),
  }),

  /** Never touches a lease: its holder finds that the generation has moved on. */
  purge: ({ ttlSeconds }: Argument<'purge'>): Change => ({
    onlyIf: [present],
    set: { ttlSeconds },
    add: { generation: 1 },
    clear: ['token', ...FAILURE_AND_REJECTION, 'dueAt', 'renewalBarredUntil'],
  }),

  endBackOff: ({ dueAt }: Argument<'endBackOff'>): Change => ({
    onlyIf: [present],
    set: { dueAt },
    clear: ['notBefore'],
  }),

  /** A slid token in the place of the one that was used; a refused secret version stays refused. */
  adopt: ({ seenGeneration, usedHash, token, dueAt, ttlSeconds, now }: Argument<'adopt'>): Change => ({
    onlyIf: [generationIs(seenGeneration), tokenIs({ hash: usedHash }), { field: 'lease.until', atMost: now }],
    set: { token, generation: seenGeneration + 1, dueAt, ttlSeconds },
    clear: BACK_OFF_AND_REJECTION,
  }),

  barRenewal: ({ generation, until }: Argument<'barRenewal'>): Change => ({
    onlyIf: [generationIs(generation), { field: 'token', present: true }],
    set: { renewalBarredUntil: until },
  }),

  /** The lease for one proxied call: no try, and under no back-off, since the token is good. */
  beginCall: ({ leaseId, leaseUntil, ttlSeconds, seen }: Argument<'beginCall'>): Change => ({
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
