import { takesCandidates } from '../slot/candidate.ts';
import type { Connection } from '../slot/connection.ts';
import { NO_LOGINS, type Standing } from '../slot/logins.ts';
import { expiresAtOf, hasUsableToken, liveLease, type RecordedFailure, type SlotRecord } from '../slot/record.ts';
import type { Store } from '../slot/store.ts';
import type { Clock } from '../words/platform.ts';

export type SlotState = 'refreshing' | 'cooldown' | 'fresh' | 'empty';

/** Status of a slot for operators, never with its token. Epoch milliseconds; undefined where there is no token. */
export interface SlotStatus {
  readonly subject: string;
  readonly state: SlotState;
  readonly issuedAt: number | undefined;
  readonly expiresAt: number | undefined;
  readonly refreshAt: number | undefined;
  readonly generation: number;
  /** The later of a login's failure and a renewal's. */
  readonly lastError: RecordedFailure | undefined;
  /** Warning about the token's end. */
  readonly warning: string | undefined;
}

/** Knowledge of a connection's credential, for operators. */
export interface CredentialStatus {
  /** Of the version that the connection last logged in with. */
  readonly standing: Standing;
  /** A new value can be tried before it becomes current. */
  readonly takesCandidates: boolean;
  /** The last candidate whose login failed, until a version is new. */
  readonly failedCandidate: RecordedFailure | undefined;
}

const SLOTS_A_PAGE = 100;

/** Creates the listing of a connection's slots, by subject, a page at a time. Throws `store_unavailable`. */
export function createSlotListing({
  store,
  clock,
}: {
  readonly store: Store;
  readonly clock: Clock;
}): (
  connection: Connection,
  after?: string,
) => Promise<{ readonly slots: readonly SlotStatus[]; readonly next: string | undefined }> {
  return async (connection, after) => {
    const page = await store.list({ connection: connection.name, limit: SLOTS_A_PAGE, after });
    const now = clock.now();
    const current = page.slots.filter(({ slot }) => slot.fingerprint === connection.fingerprint);
    return {
      slots: current.map(({ slot, record }) => statusOf(slot.subject, record, connection, now)),
      next: page.next,
    };
  };
}

/** Creates the status of a connection's credential. Throws `store_unavailable`. */
export function createCredentialStatus({
  store,
}: {
  readonly store: Store;
}): (connection: Connection) => Promise<CredentialStatus> {
  return async (connection) => {
    const { standing, failedCandidate } = (await store.logins(connection.name)) ?? NO_LOGINS;
    return { standing, takesCandidates: takesCandidates(connection), failedCandidate };
  };
}

function statusOf(subject: string, record: SlotRecord, connection: Connection, now: number): SlotStatus {
  const { token, generation } = record;
  return {
    subject,
    state: stateOf(record, connection, now),
    issuedAt: token?.issuedAt,
    expiresAt: token && expiresAtOf(token),
    refreshAt: token?.refreshAt,
    generation,
    lastError: lastFailureOf(record),
    warning: token?.warning,
  };
}

function stateOf(record: SlotRecord, connection: Connection, now: number): SlotState {
  if (liveLease(record, now) !== undefined) return 'refreshing';
  if (record.notBefore > now || record.refusedVersion !== undefined) return 'cooldown';
  if (!hasUsableToken(record, now, connection.minTtlSeconds)) return 'empty';
  return (record.renewalNotBefore ?? 0) > now ? 'cooldown' : 'fresh';
}

function lastFailureOf({ failure, renewalFailure }: SlotRecord): RecordedFailure | undefined {
  return (renewalFailure?.at ?? 0) > (failure?.at ?? 0) ? renewalFailure : failure;
}
