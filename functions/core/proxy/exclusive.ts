import type { Audit } from '../hand-out/audit.ts';
import { recordHandOut } from '../hand-out/audit.ts';
import { createLookup, type LookupDependencies } from '../hand-out/lookup.ts';
import { type TokenId, tokenIdOf } from '../hand-out/next-step.ts';
import { askRefresh, recordUse } from '../hand-out/refresh-ahead.ts';
import { hashCaller } from '../slot/caller.ts';
import * as changes from '../slot/changes.ts';
import { extendTtl, LEASED_KEPT_SECONDS, publishedTtlSeconds } from '../slot/item-end.ts';
import { openToken } from '../slot/open-token.ts';
import { hasUsableToken, isRejected, liveLease, type SealedToken, type SlotRecord } from '../slot/record.ts';
import type { Slot } from '../slot/slot.ts';
import { takeLease } from '../slot/take-lease.ts';
import { CLOCK_SKEW_MS, type Token } from '../slot/token.ts';
import { BrokerError } from '../words/errors.ts';
import { type Answered, sealSlide } from './adopt-slide.ts';
import { type ForwardedAnswer, type Forwarder, type ProxyCall, UNAUTHORIZED } from './forwarder.ts';
import { joinLine, leaveLine, readTurns, type Ticket, writeTurns } from './turns.ts';

export interface ExclusiveCallDependencies extends LookupDependencies {
  readonly audit: Audit;
  readonly forwarder: Forwarder;
}

/** A lease held for one call, with the token of that call. */
interface HeldCall {
  readonly leaseId: string;
  readonly record: SlotRecord & { readonly token: SealedToken };
  readonly token: Token;
  /** Time by which the upstream must answer, so that the call ends within its lease on every clock; epoch ms. */
  readonly endsAt: number;
}

/** Shortest rest of its lease or its time in which a call is begun. */
const SHORTEST_CALL_UNDER_LEASE_MS = 100;
/** Time for which a call waits for its turn beyond one turn of another. */
const BEYOND_A_TURN_MS = 7_000;
const SHORTEST_WAIT_MS = 50;
/** Longest wait of the first in line. */
const QUICK_WAIT_MS = 250;
const LONGEST_WAIT_MS = 500;
/** Time after which a call comes again that got no turn. */
const LINE_MOVES_MS = 1_000;

/**
 * Creates proxied calls for an upstream that ends the old token when it issues a new one (C18, `tokensOverlap` false).
 * Each slot has one call at a time, under its lease; callers take turns. Every slid token is taken up, since the old
 * one is dead then. On 401 the lease is released, and the slot is renewed as on a caller's report.
 */
export function createExclusiveCalls(
  dependencies: ExclusiveCallDependencies,
): (
  call: ProxyCall,
) => Promise<{ readonly answer: ForwardedAnswer; readonly tokenHash: string; readonly again: boolean }> {
  const { store, forwarder, clock, random } = dependencies;
  const lookup = createLookup(dependencies);

  return async function callAlone(call) {
    const first = await callOnce(call);
    if (first.answer.status !== UNAUTHORIZED || !lookup.hasTimeToMint(call)) return { ...first, again: false };
    try {
      await lookup.find({ ...call, minTtlSeconds: call.connection.minTtlSeconds, rejectedHash: first.tokenHash });
    } catch (error) {
      // The upstream's 401 tells the caller more than the reason why there is no other token.
      if (error instanceof BrokerError) return { ...first, again: false };
      throw error;
    }
    return { ...(await callOnce(call)), again: true };
  };

  async function callOnce(call: ProxyCall) {
    const held = await begin(call);
    const tokenHash = held.token.hash;
    try {
      const answered = await forward(call, held);
      await end(call, held, answered);
      return { answer: answered.answer, tokenHash };
    } catch (error) {
      await release(call, held);
      throw error;
    }
  }

  /** Waits for its turn and takes the lease for one call; has a token minted first if there is none to use. */
  async function begin(call: ProxyCall): Promise<HeldCall> {
    const { connection, slot, policy, caller, deadline } = call;
    const turnMs = Math.max(connection.timeoutSeconds, policy.timeoutSeconds) * 1000;
    const waitMs = Math.min(turnMs + BEYOND_A_TURN_MS, deadline - clock.monotonic());
    const giveUpAt = clock.monotonic() + waitMs;
    const own = { id: random.uuid(), caller: hashCaller(caller) };
    const read = () => store.read(slot, { consistent: true });
    let found = await read();
    try {
      for (;;) {
        const seen = found;
        const now = clock.now();
        const turns = readTurns(seen?.turns, now);
        // By the clock as it is now: it may have been corrected since the call came.
        const ticket = { ...own, until: now + giveUpAt - clock.monotonic() };
        const [first = ticket] = turns.line;
        const isTaken = seen !== undefined && liveLease(seen, now) !== undefined;
        const isTurn = !isTaken && first.id === ticket.id;
        const dead = deadTokenOf(seen);
        const isUsable =
          seen !== undefined && dead === undefined && hasUsableToken(seen, now, connection.minTtlSeconds);
        const token = isUsable && isTurn ? await openToken(dependencies, slot, seen) : undefined;
        if (clock.monotonic() >= giveUpAt) {
          throw new BrokerError('refresh_in_progress', 'Other calls to this upstream take their time. Ask again.', {
            retryAfterMs: LINE_MOVES_MS,
          });
        }
        if (seen !== undefined && (isTaken || (isUsable && !isTurn))) {
          await waitInLine(slot, ticket, seen, now);
          found = await read();
        } else if (!isUsable || token === undefined) {
          const { minTtlSeconds } = connection;
          await lookup.find({ connection, slot, caller, minTtlSeconds, deadline, dead });
          found = await read();
        } else {
          const leaseId = ticket.id;
          const endsAt = now + turnMs;
          const leaseUntil = endsAt + CLOCK_SKEW_MS;
          const ttlSeconds = extendTtl(seen.ttlSeconds, now, LEASED_KEPT_SECONDS);
          const after = writeTurns({ ...leaveLine(turns, ticket), last: ticket.caller });
          const call = changes.beginCall({ leaseId, leaseUntil, ttlSeconds, seen, turns: after });
          const taken = await takeLease(store, slot, { leaseId, now, seen }, call);
          if (taken.isOurs) {
            await recordUse(store, { connection, slot, record: seen, now }).catch(() => undefined);
            return { leaseId, record: seen, token, endsAt };
          }
          if (taken.error !== undefined) throw taken.error;
          found = taken.record;
        }
      }
    } catch (error) {
      await giveUpPlace(slot, own.id).catch(() => undefined);
      throw error;
    }
  }

  /** Joins the line, unless a call of the same caller is in it, and waits a moment. */
  async function waitInLine(slot: Slot, ticket: Ticket, seen: SlotRecord, now: number): Promise<void> {
    const turns = readTurns(seen.turns, now);
    const place = turns.line.findIndex(({ id }) => id === ticket.id);
    if (turns.line.every(({ caller }) => caller !== ticket.caller)) {
      await store.write(slot, changes.changeTurns({ seen, turns: writeTurns(joinLine(turns, ticket)) }));
    }
    const longestMs = place === 0 ? QUICK_WAIT_MS : LONGEST_WAIT_MS;
    await clock.sleep(SHORTEST_WAIT_MS + random.fraction() * (longestMs - SHORTEST_WAIT_MS));
  }

  /** Leaves the line. A ticket that stays there ends by itself. */
  async function giveUpPlace(slot: Slot, id: string): Promise<void> {
    const record = await store.read(slot, { consistent: true });
    const turns = readTurns(record?.turns, clock.now());
    if (record === undefined || turns.line.every((ticket) => ticket.id !== id)) return;
    await store.write(slot, changes.changeTurns({ seen: record, turns: writeTurns(leaveLine(turns, { id })) }));
  }

  async function forward(call: ProxyCall, { token, endsAt }: HeldCall): Promise<Answered> {
    const { connection, policy, request, deadline } = call;
    const { subject } = call.slot;
    await recordHandOut(dependencies, { ...call, via: 'proxy' }, { token, source: 'cache' });
    const leftMs = Math.min(endsAt - clock.now(), deadline - clock.monotonic());
    const timeoutMs = Math.min(policy.timeoutSeconds * 1000, leftMs);
    if (timeoutMs < SHORTEST_CALL_UNDER_LEASE_MS) {
      throw new BrokerError(
        'deadline_exceeded',
        'Waiting for its turn took all the time there was; nothing was forwarded.',
      );
    }
    const { value, values, closed } = token;
    const outcome = await forwarder.forward({ connection, subject, token: value, values, closed, request, timeoutMs });
    if (outcome.kind === 'failure') throw new BrokerError(outcome.code, outcome.detail);
    return outcome;
  }

  /** Ends the lease: replaces the token used with the slid one, or only releases if the answer slid nothing. */
  async function end(call: ProxyCall, held: HeldCall, { slid, requestStartedAt }: Answered): Promise<void> {
    if (slid !== undefined) {
      const isKept = await keep(call, held, slid, requestStartedAt).catch(() => {
        dependencies.telemetry.warn('A slid token could not be stored; the next call logs in.', {
          connection: call.connection.name,
        });
        return false;
      });
      if (isKept) return;
      // The replaced token is dead all the same. A slot that was purged meanwhile has another generation, and stays.
      const { generation, hash } = held.token;
      await store.write(call.slot, changes.markRejected({ generation, hash })).catch(() => false);
    }
    await release(call, held);
    if (slid === undefined) await askAhead(call, held);
  }

  /** Asks for a refresh if the answer did not renew the token, now that the call's lease is released. */
  async function askAhead({ connection, slot }: ProxyCall, { record }: HeldCall): Promise<void> {
    await askRefresh(dependencies, { connection, slot, record, now: clock.now(), via: 'proxy' }).catch(() => undefined);
  }

  /** Publishes the slid token, which ends the lease. Returns false if it was not published. */
  async function keep(
    { connection, slot }: ProxyCall,
    { leaseId, record, token: used }: HeldCall,
    slid: NonNullable<Answered['slid']>,
    requestStartedAt: number,
  ): Promise<boolean> {
    const token = await sealSlide(dependencies, { connection, slot, record, used }, slid, requestStartedAt);
    if (token === undefined) return false;
    const { generation: seenGeneration, refusedVersion } = record;
    const ttlSeconds = publishedTtlSeconds(token, refusedVersion, record.ttlSeconds);
    const publication = { leaseId, seenGeneration, token, dueAt: token.refreshAt, ttlSeconds, keepsRefusal: true };
    return store.write(slot, changes.publish(publication));
  }

  /** Releases the lease; if that fails, it lapses by itself. */
  async function release({ slot }: ProxyCall, { leaseId }: HeldCall): Promise<void> {
    await store.write(slot, changes.release({ leaseId })).catch(() => false);
  }
}

/** Returns the current token if it is known to be dead: by the upstream's own answers, never by a caller's report. */
function deadTokenOf(record: SlotRecord | undefined): TokenId | undefined {
  if (record?.token === undefined || !isRejected(record)) return undefined;
  return tokenIdOf({ generation: record.generation, token: record.token });
}
