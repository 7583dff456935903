import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Leaf, Single } from '../../core/slot/change.ts';
import type { Lease, RecordedFailure, SealedToken, SlotRecord } from '../../core/slot/record.ts';
import { type Slot, slotId, slotName } from '../../core/slot/slot.ts';
import { isBrokerErrorCode } from '../../core/words/errors.ts';
import { DUE_INDEX, DUE_SHARDS, TABLE_KEYS } from './table.ts';

/** A DynamoDB item, or a part of one. */
export type Item = Record<string, AttributeValue>;

/** The attributes of a slot's item. The first of several says whether the whole is there. */
const SLOT_ATTRIBUTES = {
  generation: 'gen',
  'token.hash': 'tokenHash',
  'token.ciphertext': 'ct',
  'token.dataKey': 'dk',
  'token.closedCiphertext': 'cct',
  'token.closedDataKey': 'cdk',
  'token.issuedAt': 'issuedAt',
  'token.usableUntil': 'usableUntil',
  'token.refreshAt': 'refreshAt',
  'token.sessionStartedAt': 'sessionStartedAt',
  'token.secretVersion': 'sv',
  'token.publicationId': 'pubId',
  'token.warning': 'tokenWarning',
  'token.mintMs': 'mintMs',
  'lease.id': 'leaseId',
  'lease.until': 'leaseUntil',
  'lease.begunBy': 'begunBy',
  fence: 'fence',
  notBefore: 'notBefore',
  tries: 'tries',
  'failure.code': 'failCode',
  'failure.at': 'failedAt',
  'failure.evidence': 'failEvidence',
  renewalNotBefore: 'renewalNotBefore',
  renewalTries: 'renewalTries',
  'renewalFailure.code': 'renewalFailCode',
  'renewalFailure.at': 'renewalFailedAt',
  'renewalFailure.evidence': 'renewalFailEvidence',
  refusedVersion: 'badSv',
  unprovenVersion: 'newSv',
  rejectedGeneration: 'rejectedGen',
  renewalBarredUntil: 'renewalBarredUntil',
  reports: 'reports',
  reportedAt: 'reportedAt',
  turns: 'turns',
  lastHandedOutAt: 'lastHandedOutAt',
  refreshAskedAt: 'refreshAskedAt',
  dueAt: DUE_INDEX.sort,
  ttlSeconds: TABLE_KEYS.ttl,
} as const satisfies Record<Leaf<SlotRecord>, string>;

const SORT_KEY_PATTERN = /^([^#]+)#([^#]+)$/;
// The first four bytes of the hash spread the refreshes over time; another one keeps shards independent of that.
const SHARD_BYTE = 4;

/** A string as DynamoDB takes it. */
export function text(value: string): AttributeValue {
  return { S: value };
}

/** A number as DynamoDB takes it. */
export function number(value: number): AttributeValue {
  return { N: String(value) };
}

/** The attributes of an item, by the record's members. */
export interface Layout<R> {
  readonly key: Item;
  readonly attributes: Readonly<Record<Leaf<R>, string>>;
  /** Attributes that are written and removed with another one. */
  readonly beside: Readonly<Record<string, Item>>;
}

/** The layout of a slot's item. It is in the index of what is due while it has `dueAt` and, with that, a shard. */
export function slotLayout(slot: Slot): Layout<SlotRecord> {
  const shard = { [DUE_INDEX.partition]: number(shardOf(slot)) };
  return { key: keyOf(slot), attributes: SLOT_ATTRIBUTES, beside: { [DUE_INDEX.sort]: shard } };
}

/** The attributes under a path, with those beside them. */
export function namesUnder<R>({ attributes, beside }: Layout<R>, path: string): readonly string[] {
  const found = Object.entries<string>(attributes).filter(([leaf]) => leaf === path || leaf.startsWith(`${path}.`));
  return found.flatMap(([, name]) => [name, ...Object.keys(beside[name] ?? {})]);
}

/** The attributes of values by path; of undefined there are none. */
export function attributesIn<R>(layout: Layout<R>, values: object): Item {
  const item: Item = {};
  for (const [path, value] of leavesOf(values)) {
    const [name = path] = namesUnder(layout, path);
    Object.assign(item, { [name]: encode(value) }, layout.beside[name]);
  }
  return item;
}

function leavesOf(values: object, above = ''): readonly (readonly [string, Single])[] {
  return Object.entries(values).flatMap(([key, value]: [string, unknown]) => {
    if (value === undefined) return [];
    return isSingle(value) ? [[`${above}${key}`, value] as const] : leavesOf(Object(value), `${above}${key}.`);
  });
}

function isSingle(value: unknown): value is Single {
  return typeof value !== 'object' || value instanceof Uint8Array || value instanceof Set;
}

/** A value as DynamoDB takes it. */
export function encode(value: Single): AttributeValue {
  if (typeof value === 'number') return number(value);
  if (typeof value === 'string') return text(value);
  return value instanceof Uint8Array ? { B: value } : { SS: [...value] };
}

/** The primary key of a slot's item. */
export function keyOf(slot: Slot): Item {
  return { pk: text(slot.connection), sk: text(slotName(slot)) };
}

/** Reports whether `sortKey` is one that a slot can have. */
export function isSlotSortKey(sortKey: string): boolean {
  return SORT_KEY_PATTERN.test(sortKey);
}

/** The slot that a key names, or undefined where it names none. */
export function slotIn({ pk, sk }: Item): Slot | undefined {
  const [, subject, fingerprint] = SORT_KEY_PATTERN.exec(sk?.S ?? '') ?? [];
  if (pk?.S === undefined || subject === undefined || fingerprint === undefined) return undefined;
  return { connection: pk.S, subject, fingerprint };
}

function shardOf(slot: Slot): number {
  return createHash('sha256').update(slotId(slot)).digest().readUInt8(SHARD_BYTE) % DUE_SHARDS;
}

/**
 * Reads a slot's item. What cannot be read counts as absent: a token with any part missing is no token, a number of
 * another type is 0. An unknown failure code reads as `internal`, so that it still is a failure.
 */
export function recordIn(item: Item): SlotRecord {
  const { badSv, newSv } = item;
  return {
    generation: numberIn(item['gen']) ?? 0,
    token: tokenIn(item),
    lease: leaseIn(item),
    fence: numberIn(item['fence']) ?? 0,
    notBefore: numberIn(item['notBefore']) ?? 0,
    tries: numberIn(item['tries']) ?? 0,
    failure: failureIn(item['failCode'], item['failedAt'], item['failEvidence']),
    renewalNotBefore: numberIn(item['renewalNotBefore']),
    renewalTries: numberIn(item['renewalTries']),
    renewalFailure: failureIn(item['renewalFailCode'], item['renewalFailedAt'], item['renewalFailEvidence']),
    refusedVersion: badSv?.S,
    unprovenVersion: newSv?.S,
    rejectedGeneration: numberIn(item['rejectedGen']) ?? 0,
    renewalBarredUntil: numberIn(item['renewalBarredUntil']),
    reports: item['reports']?.S,
    reportedAt: numberIn(item['reportedAt']),
    turns: item['turns']?.S,
    lastHandedOutAt: numberIn(item['lastHandedOutAt']) ?? 0,
    refreshAskedAt: numberIn(item['refreshAskedAt']) ?? 0,
    dueAt: numberIn(item['dueAt']),
    ttlSeconds: numberIn(item['ttl']) ?? 0,
  };
}

/** Reads a recorded failure; undefined where there is none. A code not known is `internal`. */
export function failureIn(
  code: AttributeValue | undefined,
  at: AttributeValue | undefined,
  evidence: AttributeValue | undefined,
): RecordedFailure | undefined {
  if (code?.S === undefined) return undefined;
  return { code: isBrokerErrorCode(code.S) ? code.S : 'internal', at: numberIn(at) ?? 0, evidence: evidence?.S };
}

function tokenIn(item: Item): SealedToken | undefined {
  const ciphertext = item['ct']?.B;
  const dataKey = item['dk']?.B;
  const issuedAt = numberIn(item['issuedAt']);
  const usableUntil = numberIn(item['usableUntil']);
  const refreshAt = numberIn(item['refreshAt']);
  const sessionStartedAt = numberIn(item['sessionStartedAt']);
  const secretVersion = item['sv']?.S;
  const hash = item['tokenHash']?.S;
  const publicationId = item['pubId']?.S;
  if (ciphertext === undefined || dataKey === undefined) return undefined;
  if (issuedAt === undefined || usableUntil === undefined) return undefined;
  if (refreshAt === undefined || sessionStartedAt === undefined) return undefined;
  if (secretVersion === undefined || hash === undefined || publicationId === undefined) return undefined;
  return {
    ciphertext,
    dataKey,
    closedCiphertext: item['cct']?.B,
    closedDataKey: item['cdk']?.B,
    issuedAt,
    usableUntil,
    refreshAt,
    sessionStartedAt,
    secretVersion,
    hash,
    warning: item['tokenWarning']?.S,
    mintMs: numberIn(item['mintMs']),
    publicationId,
  };
}

/** A lease; one without a readable end reads as lapsed, not as absent: so it can still be taken over by its id. */
export function leaseIn({ leaseId, leaseUntil, begunBy }: Item): Lease | undefined {
  return leaseId?.S === undefined
    ? undefined
    : { id: leaseId.S, until: numberIn(leaseUntil) ?? 0, begunBy: begunBy?.S };
}

/** A number of an item, where it is one. */
export function numberIn(attribute: AttributeValue | undefined): number | undefined {
  if (attribute?.N === undefined) return undefined;
  const value = Number(attribute.N);
  return Number.isFinite(value) ? value : undefined;
}
