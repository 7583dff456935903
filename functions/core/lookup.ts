import { backOffMs } from './back-off.ts';
import type { Connection } from './connection.ts';
import { BrokerError, type BrokerErrorCode } from './errors.ts';
import { claimOn, timeNeededToMintMs, waitLimitMs } from './lease.ts';
import type { MintReply } from './mint-message.ts';
import { openToken } from './open-token.ts';
import type {
  Claim,
  Clock,
  HandOutRoute,
  HandOutSource,
  Keys,
  MintInvoker,
  Random,
  Store,
  Telemetry,
} from './ports.ts';
import { noteUse } from './refresh-ahead.ts';
import type { Slot } from './slot.ts';
import { EMPTY_RECORD, hasUsableToken, isBackingOff, liveLease, type SlotRecord } from './slot-record.ts';
import type { Token } from './token.ts';

export interface LookupDependencies {
  readonly store: Store;
  readonly keys: Keys;
  readonly minter: MintInvoker;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of this broker: part of what a sealed token is bound to. */
  readonly broker: string;
}

export interface LookupRequest {
  readonly connection: Connection;
  readonly slot: Slot;
  /** What the token must have to go: the larger of the connection's and the caller's. */
  readonly minTtlSeconds: number;
  readonly rejectedHash?: string;
  /** A token that the broker itself knows to be dead: only another will do, however young it is. */
  readonly dead?: TokenName;
  readonly via?: HandOutRoute;
  readonly deadline: number;
}

/** One publication of a token; an upstream may issue the same token again. */
interface TokenName {
  readonly hash: string;
  readonly generation: number;
}

export interface Obtained {
  readonly token: Token;
  readonly source: HandOutSource;
  /** When the store was read for it; epoch milliseconds. */
  readonly readAt: number;
}

/** Where one request stands: what it last saw, and what of that it must not hand out. */
interface Quest extends LookupRequest {
  /** A token that was reported dead, or that did not open: only another will do. */
  refused: TokenName | undefined;
  /** The generation first seen: what is newer was minted for this request or while it waited. */
  firstSeen: number | undefined;
  /** Monotonic milliseconds. */
  readonly beganAt: number;
  waitUntil: number | undefined;
  waitedMs: number;
  minted: Extract<MintReply, { outcome: 'published' }> | undefined;
}

const SECOND_MS = 1000;
const SHORTEST_WAIT_MS = 50;
/** The longest wait of a request that is young itself: most logins take a few tenths of a second. */
const QUICK_WAIT_MS = 250;
const LONGEST_WAIT_MS = 500;

/**
 * Finds the token of a slot in the store and, where there is none to hand out, has one minted: by taking the lease, or
 * by waiting for whoever holds it. `find` throws a `BrokerError`.
 */
export function createLookup(dependencies: LookupDependencies): {
  find(request: LookupRequest): Promise<Obtained>;
  hasTimeToMint(request: Pick<LookupRequest, 'connection' | 'deadline'>): boolean;
} {
  const { store, minter, telemetry, clock, random } = dependencies;

  function hasTimeToMint({ connection, deadline }: Pick<LookupRequest, 'connection' | 'deadline'>): boolean {
    return deadline - clock.monotonic() >= timeNeededToMintMs(connection);
  }

  async function find(request: LookupRequest): Promise<Obtained> {
    const quest: Quest = {
      ...request,
      refused: request.dead,
      firstSeen: undefined,
      beganAt: clock.monotonic(),
      waitUntil: undefined,
      waitedMs: 0,
      minted: undefined,
    };
    try {
      if (request.rejectedHash !== undefined)
        return await settle(quest, await reject(quest, request.rejectedHash), true);
      const isConsistent = request.dead !== undefined;
      return await settle(quest, await store.read(request.slot, { consistent: isConsistent }), isConsistent);
    } finally {
      if (quest.waitedMs > 0) {
        const waited = { unit: 'Milliseconds', value: quest.waitedMs } as const;
        telemetry.metrics({ connection: request.connection.name }, { WaitForMint: waited });
      }
    }
  }

  /** Notes a caller's word that a token is dead. A token that is not current any more is answered exactly as a GET. */
  async function reject(quest: Quest, rejectedHash: string): Promise<SlotRecord | undefined> {
    const { slot, connection } = quest;
    for (;;) {
      const record = await store.read(slot, { consistent: true });
      if (record?.token === undefined || record.token.hash !== rejectedHash) return record;
      const { generation } = record;
      const { hash } = record.token;
      const now = clock.now();
      const renewableAt = renewableAtOf(connection, record.token.issuedAt, record.renewalBarredUntil);
      if (now < renewableAt) {
        throw new BrokerError(
          'renewal_throttled',
          `${connection.name} does not renew a token on a caller's word within ${connection.renewalCooldownSeconds} s of its issue, nor right after a renewal that did not help.`,
          { retryAfterMs: renewableAt - now },
        );
      }
      quest.refused = { hash, generation };
      if (record.rejectedGeneration === generation || (await store.markRejected({ slot, generation, hash })))
        return record;
      quest.refused = undefined;
    }
  }

  /** Goes on from what was read until there is a token or an error. */
  async function settle(quest: Quest, read: SlotRecord | undefined, isConsistent: boolean): Promise<Obtained> {
    const { connection, slot } = quest;
    let seen = read;
    let consistent = isConsistent;
    const look = async () => {
      consistent = true;
      return store.read(slot, { consistent: true });
    };

    for (;;) {
      const record = seen ?? EMPTY_RECORD;
      const now = clock.now();
      const obtained = await take(quest, record, now);
      if (obtained !== undefined) return obtained;

      if (liveLease(record, now) !== undefined) {
        await pause(quest, record);
        seen = await look();
        continue;
      }
      if (isBackingOff(record, now)) {
        // What was read may lag behind the attempt that has since succeeded.
        if (consistent) throw cooldownError(connection, record, now);
        seen = await look();
        continue;
      }
      if (!hasTimeToMint(quest)) throw inProgressError(connection, record, now);

      const claim = claimOn(slot, connection, seen, { now, random });
      const taken = await acquire(claim);
      if (taken !== true) {
        seen = await look();
        if (seen?.lease?.id !== claim.leaseId) {
          const isHeld = seen !== undefined && liveLease(seen, clock.now()) !== undefined;
          if (taken instanceof BrokerError && !isHeld) throw taken;
          continue;
        }
      }
      seen = await mint(quest, claim, record);
      consistent = true;
    }
  }

  /** The token of a record, if it is what the request wants; undefined where another must be found or minted. */
  async function take(quest: Quest, record: SlotRecord, now: number): Promise<Obtained | undefined> {
    const { connection, slot, minTtlSeconds } = quest;
    quest.firstSeen ??= record.generation;
    if (isRefused(quest, record)) return undefined;
    if (!hasUsableToken(record, now, minTtlSeconds)) {
      const isTooYoung = now < (record.token?.refreshAt ?? 0) || record.generation > quest.firstSeen;
      if (isTooYoung && hasUsableToken(record, now, connection.minTtlSeconds)) {
        throw new BrokerError(
          'min_ttl_unsatisfiable',
          `The token has less than ${minTtlSeconds} s to go, and it is not renewed before its refresh_at for min_ttl. Ask for less.`,
        );
      }
      return undefined;
    }
    const token = await openToken(dependencies, slot, record);
    if (token === undefined) {
      if (record.generation === quest.minted?.generation) throw await doesNotOpen(quest, record);
      quest.refused = { hash: record.token.hash, generation: record.generation };
      return undefined;
    }
    await noteUse(dependencies, { connection, slot, record, now, via: quest.via });
    const source = quest.minted?.generation === record.generation ? quest.minted.source : 'cache';
    return { token, source, readAt: now };
  }

  /** Waits a while for the holder of the lease, or throws `refresh_in_progress` once that has been long enough. */
  async function pause(quest: Quest, record: SlotRecord): Promise<void> {
    const began = clock.monotonic();
    quest.waitUntil ??= Math.min(began + waitLimitMs(quest.connection), quest.deadline);
    if (began >= quest.waitUntil) throw inProgressError(quest.connection, record, clock.now());
    const longestMs = Math.min(Math.max(began - quest.beganAt, QUICK_WAIT_MS), LONGEST_WAIT_MS);
    const wanted = SHORTEST_WAIT_MS + random.fraction() * (longestMs - SHORTEST_WAIT_MS);
    const waitMs = Math.min(wanted, quest.waitUntil - began);
    await clock.sleep(waitMs);
    quest.waitedMs += clock.monotonic() - began;
  }

  /** Whether the lease was won; an error where the answer did not come, and only a look can tell. */
  async function acquire(claim: Claim): Promise<boolean | BrokerError> {
    try {
      return await store.acquire(claim);
    } catch (error) {
      if (error instanceof BrokerError) return error;
      throw error;
    }
  }

  /** Has `mint` work under the lease just taken; gives what the store holds afterwards. */
  async function mint(quest: Quest, claim: Claim, before: SlotRecord): Promise<SlotRecord | undefined> {
    const { connection, slot } = quest;
    const timeoutMs = Math.min(waitLimitMs(connection), quest.deadline - clock.monotonic());
    const invocation = await minter.invoke(
      connection,
      { ...slot, trigger: 'caller', lease: { id: claim.leaseId, takenAt: claim.now } },
      timeoutMs,
    );
    switch (invocation.kind) {
      case 'refused':
        throw await notSent(quest, claim, before);
      case 'function_error': {
        // It may have failed after its work was done.
        const after = await store.read(slot, { consistent: true });
        if (after !== undefined && after.generation > before.generation) return after;
        throw new BrokerError(
          'upstream_outcome_unknown',
          `The mint function of ${connection.name} failed, and whether the upstream counted a login is unknown. Its log says why.`,
          { retryAfterMs: claim.notBefore - clock.now() },
        );
      }
      case 'unanswered':
        break;
      case 'reply':
        if (invocation.reply.outcome === 'failed') throw errorOf(invocation.reply);
        if (invocation.reply.outcome === 'published') quest.minted = invocation.reply;
        break;
    }
    return store.read(slot, { consistent: true });
  }

  /** Gives the lease back after an invocation that never ran: no login can have been counted. */
  async function notSent({ connection }: Quest, claim: Claim, before: SlotRecord): Promise<BrokerError> {
    const retryAfterMs = backOffMs('not_judged', before.tries + 1, random);
    await backOff(claim, 'mint_unavailable', retryAfterMs);
    return new BrokerError(
      'mint_unavailable',
      `The mint function of ${connection.name} could not be invoked. If this persists, look at its concurrency and permissions.`,
      { retryAfterMs },
    );
  }

  /** A token that was minted for this request and does not open: the next would not either, so a back-off comes first. */
  async function doesNotOpen({ connection, slot }: Quest, record: SlotRecord): Promise<BrokerError> {
    const retryAfterMs = backOffMs('unknown', record.tries + 1, random);
    const claim = claimOn(slot, connection, record, { now: clock.now(), random });
    if ((await acquire(claim)) === true) await backOff(claim, 'kms_unavailable', retryAfterMs);
    return new BrokerError(
      'kms_unavailable',
      `A new token of ${connection.name} cannot be opened here: this function and the mint function work with another key or another name of the broker. Deploy the whole broker anew if this persists.`,
      { retryAfterMs },
    );
  }

  /** Ends a claim without an attempt. */
  async function backOff({ slot, leaseId, ttlSeconds }: Claim, code: BrokerErrorCode, forMs: number): Promise<void> {
    const at = clock.now();
    const notBefore = at + forMs;
    await store.fail({ slot, leaseId, code, at, notBefore, dueAt: notBefore, ttlSeconds });
  }

  return { find, hasTimeToMint };
}

/** Reports whether a record holds the very token that the request must not have; not what was minted for it since. */
function isRefused({ refused, minted }: Quest, { token, generation }: SlotRecord): boolean {
  if (refused === undefined || generation === minted?.generation) return false;
  return token?.hash === refused.hash && generation === refused.generation;
}

/** From when a caller's word renews this token. */
function renewableAtOf(connection: Connection, issuedAt: number, barredUntil = 0): number {
  return Math.max(issuedAt + connection.renewalCooldownSeconds * SECOND_MS, barredUntil);
}

function errorOf(reply: Extract<MintReply, { outcome: 'failed' }>): BrokerError {
  const { code, detail, retryAfterMs } = reply;
  return new BrokerError(code, detail, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** What callers are told while an earlier failure keeps the broker from trying again. */
function cooldownError(connection: Connection, record: SlotRecord, now: number): BrokerError {
  const retryAfterMs = record.notBefore - now;
  // A holder that never came back leaves its back-off and no code.
  const cause = record.failure?.code ?? 'upstream_outcome_unknown';
  if (cause === 'upstream_credential_rejected') {
    return new BrokerError(
      'upstream_credential_rejected',
      `The upstream of ${connection.name} refused the credential. No login is tried until its secret has a new version, or an operator deletes the slot's token.`,
      { retryAfterMs },
    );
  }
  if (record.refusedVersion !== undefined) {
    return new BrokerError(
      'upstream_credential_rejected',
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

function inProgressError(connection: Connection, record: SlotRecord, now: number): BrokerError {
  const lease = liveLease(record, now);
  return new BrokerError(
    'refresh_in_progress',
    `A token is being fetched from ${connection.name}, and it takes longer than this request can wait. Ask again.`,
    lease === undefined ? {} : { retryAfterMs: lease.until - now },
  );
}
