import type { BrokerErrorCode } from '../words/errors.ts';
import { CLOCK_SKEW_MS, isUsable, refreshAtOfReissued } from './token.ts';

/** A token as the store keeps it: sealed, with the facts that need no key to read. Epoch milliseconds. */
export interface SealedToken {
  readonly ciphertext: Uint8Array;
  /** The data key, encrypted by KMS. */
  readonly dataKey: Uint8Array;
  /** Values that only `mint` and `proxy` may open, under a data key of their own. Absent if the provider keeps none. */
  readonly closedCiphertext?: Uint8Array | undefined;
  /** The data key of closed values, encrypted by KMS. */
  readonly closedDataKey?: Uint8Array | undefined;
  readonly issuedAt: number;
  /** `expiresAt` less the clock skew. */
  readonly usableUntil: number;
  readonly refreshAt: number;
  readonly sessionStartedAt: number;
  readonly secretVersion: string;
  readonly hash: string;
  /** Warning to operators about its end or its scope; never a part of it. */
  readonly warning?: string | undefined;
  /** Time from the taking of its lease to its publication; milliseconds. Whoever waits for the next looks after as long. */
  readonly mintMs?: number | undefined;
  /** Unique to one publication, so that a writer whose reply was lost recognises its own. */
  readonly publicationId: string;
}

/** The exclusive right to mint for a slot, while `until` (epoch milliseconds) is ahead. */
export interface Lease {
  readonly id: string;
  readonly until: number;
  /** The `mint` invocation that has begun under this lease, once one has. */
  readonly begunBy?: string | undefined;
}

/** A failed attempt. Epoch milliseconds. */
export interface RecordedFailure {
  readonly code: BrokerErrorCode;
  readonly at: number;
  /** Part of the upstream's answer that decided it, in words; absent if there was no answer. */
  readonly evidence?: string | undefined;
}

/** One slot's item: token and lease together, so that single-item conditions fence them. Absent numbers read as 0. */
export interface SlotRecord {
  readonly generation: number;
  readonly token?: SealedToken | undefined;
  readonly lease?: Lease | undefined;
  readonly fence: number;
  /** End of the logins' back-off: no login before it; epoch milliseconds. */
  readonly notBefore: number;
  /** Logins since the last token. */
  readonly tries: number;
  /** The last failure of a login. */
  readonly failure?: RecordedFailure | undefined;
  /** End of the renewals' back-off. It holds back no login; epoch milliseconds. */
  readonly renewalNotBefore?: number | undefined;
  readonly renewalTries?: number | undefined;
  readonly renewalFailure?: RecordedFailure | undefined;
  /** The secret version that the upstream refused for this slot. */
  readonly refusedVersion?: string | undefined;
  /** A new secret version that this slot is to prove by a login, although its token may be good. */
  readonly unprovenVersion?: string | undefined;
  /** The generation that a caller reported dead; 0 for none. */
  readonly rejectedGeneration: number;
  /** Until then callers' reports of a dead token do not renew the slot; epoch milliseconds. */
  readonly renewalBarredUntil?: number | undefined;
  /** Callers' reports that were accepted in a row, as `report.ts` counts them, and the time of the last (epoch ms). */
  readonly reports?: string | undefined;
  readonly reportedAt?: number | undefined;
  /** Callers that take turns, where the slot has one proxied call at a time; `turns.ts` reads it. */
  readonly turns?: string | undefined;
  readonly lastHandedOutAt: number;
  readonly refreshAskedAt: number;
  /** Time at which the schedule looks at this slot; absent while the slot is off the schedule. */
  readonly dueAt?: number | undefined;
  /** Time from which the store may delete the item; epoch seconds. */
  readonly ttlSeconds: number;
}

/** Record of a slot that has no item in the store. */
export const EMPTY_RECORD: SlotRecord = {
  generation: 0,
  fence: 0,
  notBefore: 0,
  tries: 0,
  rejectedGeneration: 0,
  lastHandedOutAt: 0,
  refreshAskedAt: 0,
  ttlSeconds: 0,
};

/** Returns when a sealed token ends according to the upstream. */
export function expiresAtOf(token: SealedToken): number {
  return token.usableUntil + CLOCK_SKEW_MS;
}

/** Returns the lease if it is live. */
export function liveLease(record: SlotRecord, now: number): Lease | undefined {
  return record.lease !== undefined && record.lease.until > now ? record.lease : undefined;
}

/** Reports whether the slot has a token with `minTtlSeconds` to go. */
export function hasUsableToken(
  record: SlotRecord,
  now: number,
  minTtlSeconds: number,
): record is SlotRecord & { readonly token: SealedToken } {
  return record.token !== undefined && isUsable({ expiresAt: expiresAtOf(record.token) }, now, minTtlSeconds);
}

/** Reports whether the upstream is known to issue the current token again until it ends (`refreshAtOfReissued`). */
export function isReissued(record: SlotRecord): boolean {
  const { token } = record;
  return token !== undefined && token.refreshAt === refreshAtOfReissued(expiresAtOf(token));
}

/** Reports whether a caller has said that the current token is dead. */
export function isRejected(record: SlotRecord): boolean {
  return record.token !== undefined && record.rejectedGeneration === record.generation;
}

/** Reports whether the account is locked: a new version would not unlock it, and might keep it locked. */
export function isLocked({ failure, notBefore }: SlotRecord, now: number): boolean {
  return failure?.code === 'upstream_account_locked' && notBefore > now;
}
