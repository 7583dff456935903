import type { Connection } from '../slot/connection.ts';
import type { MintWay } from '../slot/mint-message.ts';
import { nextWay } from '../slot/next-way.ts';
import { hasUsableToken, isReissued, liveLease, type SealedToken, type SlotRecord } from '../slot/record.ts';
import { BrokerError } from '../words/errors.ts';

/** Longest time that a request waits for the end of a token which the upstream issues again until then. */
const LONGEST_WAIT_FOR_END_MS = 7_000;

/**
 * Identity of one published token. An upstream may issue the same token again, and generations begin again with an item
 * that has expired, so the publication is part of it.
 */
export interface TokenId {
  readonly hash: string;
  readonly generation: number;
  readonly publicationId: string;
}

/** Returns the identity of a record's token. */
export function tokenIdOf({ generation, token: { hash, publicationId } }: Published): TokenId {
  return { hash, generation, publicationId };
}

type Published = Pick<SlotRecord, 'generation'> & { readonly token: SealedToken };

/** Wishes of a request, and the facts that it has learned so far. */
export interface Want {
  readonly connection: Connection;
  /** The larger of the connection's and the caller's. */
  readonly minTtlSeconds: number;
  /** Token that will not do: it was reported dead, or does not open. */
  readonly not: TokenId | undefined;
  /** The generation seen first: a newer one was minted since the request came. */
  readonly firstSeen: number;
}

/** One reading of the slot. */
export interface Reading {
  readonly record: SlotRecord;
  /** False: it may lag behind the last write. */
  readonly isConsistent: boolean;
  /** Epoch milliseconds. */
  readonly at: number;
}

export type Step =
  | { readonly do: 'open'; readonly record: SlotRecord & { readonly token: SealedToken } }
  | { readonly do: 'wait' | 'read again' }
  | { readonly do: 'mint'; readonly way: MintWay }
  | { readonly do: 'fail'; readonly error: BrokerError };

/**
 * Decides the next step of a lookup by one reading of the slot. The first line that fits decides:
 *
 *   a usable token, not the one excluded      → open it
 *   one too short for min_ttl, not yet due    → fail: min_ttl_unsatisfiable
 *   somebody holds the lease                  → wait
 *   the same token would come until a near end → wait
 *   a back-off is on                          → read again where the reading may lag, else fail: cooldown
 *   there is no time left to mint             → fail: refresh_in_progress
 *   otherwise                                 → mint
 */
export function nextStep(want: Want, { record, isConsistent, at }: Reading, hasTimeToMint: boolean): Step {
  if (!isExcluded(want, record)) {
    if (hasUsableToken(record, at, want.minTtlSeconds)) return { do: 'open', record };
    const isNotDue = at < (record.token?.refreshAt ?? 0) || record.generation > want.firstSeen;
    if (isNotDue && hasUsableToken(record, at, want.connection.minTtlSeconds)) return fail(createMinTtlError(want));
  }
  if (liveLease(record, at) !== undefined) return { do: 'wait' };
  const next = nextWay(want.connection, record, at, true);
  if (next.way === 'none' && isReissued(record) && next.until - at <= LONGEST_WAIT_FOR_END_MS) return { do: 'wait' };
  if (next.way === 'none')
    return isConsistent ? fail(createCooldownError(want.connection, record, next.until - at)) : { do: 'read again' };
  return hasTimeToMint ? { do: 'mint', way: next.way } : fail(createInProgressError(want.connection, record, at));
}

function isExcluded({ not }: Want, { token, generation }: SlotRecord): boolean {
  if (not === undefined || token === undefined || generation !== not.generation) return false;
  return token.hash === not.hash && token.publicationId === not.publicationId;
}

function fail(error: BrokerError): Step {
  return { do: 'fail', error };
}

function createMinTtlError({ minTtlSeconds }: Want): BrokerError {
  return new BrokerError(
    'min_ttl_unsatisfiable',
    `The token has less than ${minTtlSeconds} s to go, and it is not renewed before its refresh_at for min_ttl. Ask for less.`,
  );
}

/** Creates the error for callers while an earlier failure keeps the broker from trying again. */
function createCooldownError(connection: Connection, record: SlotRecord, retryAfterMs: number): BrokerError {
  // A holder that never came back leaves its back-off and no code.
  const cause = record.failure?.code ?? (isReissued(record) ? 'upstream_token_unusable' : 'upstream_outcome_unknown');
  if (cause === 'upstream_credential_rejected') {
    return new BrokerError(
      'upstream_credential_rejected',
      `The upstream of ${connection.name} refused the credential. No login is tried until its secret has a new version, or an operator deletes the slot's token.`,
      { retryAfterMs },
    );
  }
  if (cause === 'reauthorization_required') {
    return new BrokerError(
      cause,
      `The upstream of ${connection.name} refused the refresh token: a person must consent again. No login is tried until its secret has a new version, or an operator deletes the slot's token.`,
      { retryAfterMs },
    );
  }
  if (cause === 'login_limited') {
    return new BrokerError(
      'login_limited',
      `The upstream of ${connection.name} issues so many tokens in a time, and no more. The next login is made when the time is up.`,
      { retryAfterMs },
    );
  }
  if (record.refusedVersion !== undefined) {
    return new BrokerError(
      connection.keptSecret === undefined ? 'upstream_credential_rejected' : 'reauthorization_required',
      `The upstream of ${connection.name} refused the credential before, and the last attempt since then failed with ${cause}. It is tried again when the time is up.`,
      { retryAfterMs },
    );
  }
  return new BrokerError(
    'cooldown',
    `The last attempt to get a token from ${connection.name} failed with ${cause}. It is tried again when the time is up.`,
    { retryAfterMs, cause },
  );
}

export function createInProgressError(connection: Connection, record: SlotRecord, now: number): BrokerError {
  const lease = liveLease(record, now);
  return new BrokerError(
    'refresh_in_progress',
    `A token is being fetched from ${connection.name}, and it takes longer than this request can wait. Ask again.`,
    { retryAfterMs: lease && lease.until - now },
  );
}
