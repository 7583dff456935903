import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import { extendTtl, LEASED_KEPT_SECONDS } from '../slot/item-end.ts';
import type { Keys } from '../slot/keys.ts';
import { leaseLengthMs, mintWindowMs } from '../slot/lease.ts';
import { isProven, NO_LOGINS } from '../slot/logins.ts';
import type { LogoutRequest } from '../slot/mint-message.ts';
import { openToken } from '../slot/open-token.ts';
import { NOT_LOGGED_OUT, readPurged } from '../slot/purged-token.ts';
import { EMPTY_RECORD, liveLease, type SealedToken, type SlotRecord } from '../slot/record.ts';
import { type Slot, slotOf } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { takeLease } from '../slot/take-lease.ts';
import { shortHash } from '../slot/token.ts';
import { BrokerError } from '../words/errors.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';
import type { Secrets } from './secrets.ts';
import type { HeldToken, Upstream, UpstreamFailure } from './upstream.ts';

export interface LogoutDependencies {
  readonly store: Store;
  readonly keys: Keys;
  readonly secrets: Secrets;
  readonly upstream: Pick<Upstream, 'waysOf' | 'logout'>;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of this broker: part of what a sealed token is bound to. */
  readonly broker: string;
}

/** Reason why a token was not logged out, in words for the log. */
type Left = { readonly why: string; readonly evidence?: string };

const SECRET_TRUSTED_MS = 5_000;
/** Longest wait for whoever has the lease, and the pause between two looks. */
const LONGEST_WAIT_MS = 5_000;
const PAUSE_MS = 250;
/** Time kept at the end of the window for ending the lease. */
const WRITING_MS = 1_000;
const SHORTEST_REQUEST_MS = 250;

/**
 * Creates the logout of a purged token: one request under the slot's lease, so that no login runs beside it. A token
 * that the slot holds again is left alone. Where a new token ends the old one, every token is left alone once the slot
 * has another. A failure is logged and forgotten.
 */
export function createLogout(
  dependencies: LogoutDependencies,
): (request: LogoutRequest, connection: Connection) => Promise<void> {
  const { store, secrets, upstream, telemetry, clock, random } = dependencies;

  return async function logout(request, connection) {
    const slot = slotOf(connection, request.subject);
    const about = { connection: connection.name, subject: slot.subject, tokenHash: shortHash(request.purged.hash) };
    const left = await tryLogout(request, connection, slot);
    if (left === undefined) telemetry.info('A purged token was logged out.', about);
    else telemetry.warn(NOT_LOGGED_OUT, { ...about, ...left });
  };

  async function tryLogout(request: LogoutRequest, connection: Connection, slot: Slot): Promise<Left | undefined> {
    const deadline = clock.now() + mintWindowMs(connection);
    if (request.fingerprint !== slot.fingerprint) return { why: 'the connection has changed' };
    const { generation, token } = readPurged(request.purged);
    try {
      const held = await prepare(connection, slot, { ...EMPTY_RECORD, generation, token });
      if ('why' in held) return held;
      const lease = await waitForLease(connection, slot, token);
      if (typeof lease !== 'string') return lease;
      try {
        return await send(connection, slot, held, deadline);
      } finally {
        // If this fails, the lease lapses by itself.
        await store.write(slot, changes.release({ leaseId: lease })).catch(() => false);
      }
    } catch (error) {
      if (error instanceof BrokerError) return { why: error.code };
      throw error;
    }
  }

  /**
   * Opens the token, and reads the secret if the request names it: only a proven one, since it may count as a login.
   */
  async function prepare(connection: Connection, slot: Slot, record: SlotRecord): Promise<HeldToken | Left> {
    const { logout, keepsClosed } = upstream.waysOf(connection);
    if (logout === undefined) return { why: 'the connection has changed' };
    const [opened, secret, logins] = await Promise.all([
      openToken({ ...dependencies, opensClosed: true }, slot, record),
      logout.needsSecret ? secrets.current({ secret: connection.secret, maxAgeMs: SECRET_TRUSTED_MS }) : undefined,
      logout.needsSecret ? store.logins(connection.name) : undefined,
    ]);
    if (opened === undefined || (keepsClosed && opened.closed === undefined)) return { why: 'it does not open' };
    if (secret !== undefined && !isProven(logins ?? NO_LOGINS, secret.versionId))
      return { why: 'the secret has a version that has brought no token' };
    return { token: opened.value, values: opened.values, closed: opened.closed, secret: secret?.value };
  }

  /** Takes the slot's lease. Returns its id, or why it was not taken. */
  async function waitForLease(connection: Connection, slot: Slot, purged: SealedToken): Promise<string | Left> {
    const until = clock.now() + LONGEST_WAIT_MS;
    for (;;) {
      const seen = await store.read(slot, { consistent: true });
      if (seen === undefined) return { why: 'the slot is gone' };
      if (isInUse(connection, seen, purged)) return { why: 'a later login has brought it again, or ended it' };
      const now = clock.now();
      if (liveLease(seen, now) === undefined) {
        const leaseId = random.uuid();
        const ttlSeconds = extendTtl(seen.ttlSeconds, now, LEASED_KEPT_SECONDS);
        const leaseUntil = now + leaseLengthMs(connection);
        const change = changes.borrow({ leaseId, leaseUntil, ttlSeconds, seen });
        const taken = await takeLease(store, slot, { leaseId, now, seen }, change);
        if (taken.isOurs) return leaseId;
        if (taken.error !== undefined) throw taken.error;
      }
      if (clock.now() + PAUSE_MS >= until) return { why: 'another has the lease' };
      await clock.sleep(PAUSE_MS);
    }
  }

  async function send(
    connection: Connection,
    { subject }: Slot,
    held: HeldToken,
    deadline: number,
  ): Promise<Left | undefined> {
    const timeoutMs = Math.min(connection.timeoutSeconds * 1000, deadline - clock.now() - WRITING_MS);
    if (timeoutMs < SHORTEST_REQUEST_MS) return { why: 'getting ready took all the time there was' };
    const began = clock.monotonic();
    const failed: UpstreamFailure | undefined = await upstream.logout({ connection, subject, timeoutMs, ...held });
    telemetry.metrics(
      { connection: connection.name },
      { LogoutLatency: { unit: 'Milliseconds', value: clock.monotonic() - began } },
    );
    return failed && { why: failed.code, ...(failed.evidence !== undefined && { evidence: failed.evidence }) };
  }
}

/** Reports whether a logout might end what the slot has now. */
function isInUse({ provider, tokensOverlap }: Connection, { token }: SlotRecord, purged: SealedToken): boolean {
  const isSingle = provider.limits?.single === true || !tokensOverlap;
  return isSingle ? token !== undefined : token?.hash === purged.hash;
}
