import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Lease, SealedToken, SlotRecord } from '../../core/slot/record.ts';
import { type Slot, slotId } from '../../core/slot/slot.ts';
import type { Refusals } from '../../core/slot/store.ts';
import { isBrokerErrorCode } from '../../core/words/errors.ts';
import { DUE_SHARDS, REFUSALS_SORT_KEY } from './table.ts';

/** A DynamoDB item, or a part of one. */
export type Item = Record<string, AttributeValue>;

/** The attributes of a token; they come and go together. */
export const TOKEN_ATTRIBUTES = [
  'ct',
  'dk',
  'issuedAt',
  'usableUntil',
  'refreshAt',
  'sessionStartedAt',
  'sv',
  'tokenHash',
  'pubId',
] as const;

/** The attributes of a lease. */
export const LEASE_ATTRIBUTES = ['leaseId', 'leaseUntil', 'begunBy'] as const;

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

/** Names a slot within its connection: subject, `#`, fingerprint. */
export function sortKeyOf(slot: Slot): string {
  return `${slot.subject}#${slot.fingerprint}`;
}

/** The primary key of a slot's item. */
export function keyOf(slot: Slot): Item {
  return { pk: text(slot.connection), sk: text(sortKeyOf(slot)) };
}

/** The primary key of the item that counts a connection's refusals. */
export function refusalsKeyOf(connection: string): Item {
  return { pk: text(connection), sk: text(REFUSALS_SORT_KEY) };
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

/** `dueAt` and, with it, the shard of the index: an item is in the index while it has both. */
export function dueAttributes(
  slot: Slot,
  dueAt: number,
): { readonly dueAt: AttributeValue; readonly shard: AttributeValue } {
  const hash = createHash('sha256').update(slotId(slot)).digest();
  return { dueAt: number(dueAt), shard: number(hash.readUInt8(SHARD_BYTE) % DUE_SHARDS) };
}

/** A token's attributes. */
export function tokenAttributes(token: SealedToken): Record<(typeof TOKEN_ATTRIBUTES)[number], AttributeValue> {
  return {
    ct: { B: token.ciphertext },
    dk: { B: token.dataKey },
    issuedAt: number(token.issuedAt),
    usableUntil: number(token.usableUntil),
    refreshAt: number(token.refreshAt),
    sessionStartedAt: number(token.sessionStartedAt),
    sv: text(token.secretVersion),
    tokenHash: text(token.hash),
    pubId: text(token.publicationId),
  };
}

/**
 * Reads a slot's item. What cannot be read counts as absent: a token with any part missing is no token, a number of
 * another type is 0. An unknown failure code reads as `internal`, so that it still is a failure.
 */
export function recordIn(item: Item): SlotRecord {
  const token = tokenIn(item);
  const lease = leaseIn(item);
  const { failCode, badSv, dueAt } = item;
  const code = failCode?.S;
  const due = numberIn(dueAt);
  const renewalBarredUntil = numberIn(item['renewalBarredUntil']);
  return {
    generation: numberIn(item['gen']) ?? 0,
    fence: numberIn(item['fence']) ?? 0,
    notBefore: numberIn(item['notBefore']) ?? 0,
    tries: numberIn(item['tries']) ?? 0,
    rejectedGeneration: numberIn(item['rejectedGen']) ?? 0,
    lastHandedOutAt: numberIn(item['lastHandedOutAt']) ?? 0,
    refreshAskedAt: numberIn(item['refreshAskedAt']) ?? 0,
    ttlSeconds: numberIn(item['ttl']) ?? 0,
    ...(token && { token }),
    ...(lease && { lease }),
    ...(code !== undefined && {
      failure: { code: isBrokerErrorCode(code) ? code : 'internal', at: numberIn(item['failedAt']) ?? 0 },
    }),
    ...(badSv?.S !== undefined && { refusedVersion: badSv.S }),
    ...(due !== undefined && { dueAt: due }),
    ...(renewalBarredUntil !== undefined && { renewalBarredUntil }),
  };
}

/** Reads the item that counts refusals; undefined where version or slots cannot be read. */
export function refusalsIn({ sv, slots }: Item): Refusals | undefined {
  if (sv?.S === undefined || slots?.SS === undefined) return undefined;
  return { secretVersion: sv.S, slots: slots.SS.length };
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
    issuedAt,
    usableUntil,
    refreshAt,
    sessionStartedAt,
    secretVersion,
    hash,
    publicationId,
  };
}

// A lease without a readable end reads as lapsed, not as absent: so it can still be taken over by its id.
function leaseIn({ leaseId, leaseUntil, begunBy }: Item): Lease | undefined {
  if (leaseId?.S === undefined) return undefined;
  const lease = { id: leaseId.S, until: numberIn(leaseUntil) ?? 0 };
  return begunBy?.S === undefined ? lease : { ...lease, begunBy: begunBy.S };
}

function numberIn(attribute: AttributeValue | undefined): number | undefined {
  if (attribute?.N === undefined) return undefined;
  const value = Number(attribute.N);
  return Number.isFinite(value) ? value : undefined;
}
