import { backOffMs } from '../slot/back-off.ts';
import { findCandidateBar } from '../slot/candidate.ts';
import type { Claim, SlotChange } from '../slot/changes.ts';
import * as changes from '../slot/changes.ts';
import { createClaim } from '../slot/claim.ts';
import type { Connection } from '../slot/connection.ts';
import { waitLimitMs } from '../slot/lease.ts';
import type { MintOutcome, MintReply, MintRequest } from '../slot/mint-message.ts';
import type { MintInvoker } from '../slot/minter.ts';
import { EMPTY_RECORD, type SlotRecord } from '../slot/record.ts';
import { type Slot, SYSTEM } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { takeLease } from '../slot/take-lease.ts';
import { findCandidateTrialBar, findTrialBar, type TrialBar } from '../slot/trial.ts';
import { BrokerError } from '../words/errors.ts';
import type { JsonObject } from '../words/json.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';

/** A login that an operator has tried: the report of its steps, and what came of it. */
export interface Tried {
  readonly trial: JsonObject;
  readonly outcome: Extract<MintOutcome, { outcome: 'published' | 'failed' | 'superseded' }>;
  /** The candidate that was tried, and whether it is current now. Absent: the current version was tried. */
  readonly candidate?: MintReply['candidate'];
}

/** An operator's wish to try a login. */
export interface TryRequest {
  readonly connection: Connection;
  readonly slot: Slot;
  /** Set to try the candidate of the secret, and to make it current if the upstream takes it. */
  readonly candidate?: boolean;
  readonly caller: string;
  readonly requestId: string;
  /** Monotonic milliseconds. */
  readonly deadline: number;
}

/** The two ways of a try, which differ in what bars them, how they take the lease, and how they give it back. */
interface Way {
  readonly isOfCandidate: boolean;
  findBar(record: SlotRecord | undefined): TrialBar | undefined;
  take(claim: Claim): SlotChange;
  /** Ends the lease of a `mint` that never ran. */
  giveBack(claim: Claim): SlotChange;
}

/**
 * Creates an operator's try of a login. `mint` makes it like any other login, under the slot's lease and behind the
 * same gate, and publishes its token. A candidate is tried under a borrowed lease, so that a refusal leaves the slot
 * as it was. A candidate that is current already is tried like the current version. If no login was made, throws a
 * `BrokerError` that says why.
 */
export function createTryLogin({
  store,
  minter,
  telemetry,
  clock,
  random,
}: {
  readonly store: Store;
  readonly minter: Pick<MintInvoker, 'invoke'>;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
}): (request: TryRequest) => Promise<Tried> {
  const ofCandidate: Way = {
    isOfCandidate: true,
    findBar: (record) => findCandidateTrialBar(record, clock.now()),
    take: changes.borrow,
    giveBack: ({ leaseId }) => changes.release({ leaseId }),
  };

  const ofCurrent = (connection: Connection): Way => ({
    isOfCandidate: false,
    findBar: (record) => findTrialBar(record, connection, clock.now()),
    take: changes.acquire,
    giveBack({ leaseId, ttlSeconds, seen }) {
      const at = clock.now();
      const notBefore = at + backOffMs('not_judged', (seen?.tries ?? 0) + 1, random);
      return changes.fail({ leaseId, code: 'mint_unavailable', at, notBefore, dueAt: notBefore, ttlSeconds });
    },
  });

  return async (request) => {
    const { connection, slot } = request;
    if (request.candidate === true) {
      assertTakesCandidates(connection, slot.subject);
      const reply = await askMint(request, ofCandidate);
      if (reply.outcome !== 'current') return toTried(connection, reply);
    }
    return toTried(connection, await askMint(request, ofCurrent(connection)));
  };

  /** Takes the lease and invokes `mint` once under it. */
  async function askMint({ connection, slot, caller, requestId, deadline }: TryRequest, way: Way): Promise<MintReply> {
    const seen = await store.read(slot, { consistent: true });
    assertUnbarred(connection, seen, way);
    const claim = createClaim(connection, seen, { now: clock.now(), random });
    const taken = await takeLease(store, slot, claim, way.take(claim));
    if (!taken.isOurs) {
      if (taken.error !== undefined) throw taken.error;
      // Another was quicker.
      assertUnbarred(connection, taken.record, way);
      throw createLeasedError(connection, undefined);
    }
    const about = { connection: connection.name, subject: slot.subject, caller, requestId };
    telemetry.info(way.isOfCandidate ? 'A candidate is tried.' : 'A login is tried.', about);
    const timeoutMs = Math.min(waitLimitMs(connection), deadline - clock.monotonic());
    const lease = { id: claim.leaseId, takenAt: claim.now };
    const request: MintRequest = { ...slot, trigger: 'operator', lease };
    const asked: MintRequest = way.isOfCandidate ? { ...request, candidate: true } : request;
    const invocation = await minter.invoke(connection, asked, timeoutMs);
    if (invocation.kind === 'reply') return invocation.reply;
    if (invocation.kind === 'refused') {
      await store.write(slot, way.giveBack(claim));
      throw new BrokerError(
        'mint_unavailable',
        `The mint function of ${connection.name} could not be invoked. Look at its concurrency and permissions.`,
      );
    }
    throw new BrokerError(
      'upstream_outcome_unknown',
      `The mint function of ${connection.name} did not answer, and whether the upstream counted a login is unknown. Its log says why.`,
    );
  }

  function assertUnbarred(connection: Connection, record: SlotRecord | undefined, way: Way): void {
    const bar = way.findBar(record);
    if (bar === undefined) return;
    const retryAfterMs = bar.until - clock.now();
    switch (bar.why) {
      case 'leased':
        throw createLeasedError(connection, retryAfterMs);
      case 'young':
        throw new BrokerError(
          'renewal_throttled',
          `${connection.name} got a token less than ${connection.renewalCooldownSeconds} s ago (\`renewalCooldownSeconds\`), and is not asked for another so soon. Its status shows that the login works.`,
          { retryAfterMs },
        );
      case 'backing_off': {
        // A holder that never came back leaves its back-off and no code.
        const { failure } = record ?? EMPTY_RECORD;
        const cause = failure?.code ?? 'upstream_outcome_unknown';
        throw new BrokerError(
          'cooldown',
          `The last attempt at ${connection.name} failed with ${cause}, and a try waits like any login. Wait, or purge the slot once the cause is mended.`,
          { retryAfterMs, cause },
        );
      }
    }
  }
}

/** Reads the reply of `mint`. Throws if no login was made. */
function toTried(connection: Connection, { trial, candidate, ...outcome }: MintReply): Tried {
  if (outcome.outcome === 'failed' && trial === undefined) {
    const { code, cause, detail, retryAfterMs } = outcome;
    throw new BrokerError(code, detail, { retryAfterMs, cause });
  }
  if (trial !== undefined && isEnd(outcome)) return { trial, outcome, ...(candidate !== undefined && { candidate }) };
  throw createLeasedError(connection, undefined);
}

function isEnd(outcome: MintOutcome): outcome is Tried['outcome'] {
  return outcome.outcome === 'published' || outcome.outcome === 'failed' || outcome.outcome === 'superseded';
}

/** Throws `invalid_request` if a version of the secret cannot be tried before it is current. */
function assertTakesCandidates(connection: Connection, subject: string): void {
  const { name } = connection;
  const bar = findCandidateBar(connection, subject === SYSTEM);
  if (bar === undefined) return;
  const why =
    bar === 'rotates'
      ? `The credential of ${name} rotates: a login spends it, and its next value can be kept for the current version alone.`
      : `A login of ${name} sends nothing, so no answer could show that a candidate is wrong.`;
  throw new BrokerError(
    'invalid_request',
    `${why} Put the value with \`token-broker secret set ${name}\`, without --check. Nothing was sent.`,
  );
}

function createLeasedError({ name }: Connection, retryAfterMs: number | undefined): BrokerError {
  return new BrokerError('refresh_in_progress', `A token is being fetched from ${name} already. Try again.`, {
    retryAfterMs,
  });
}
