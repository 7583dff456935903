import { backOffMs } from '../slot/back-off.ts';
import type { Claim } from '../slot/changes.ts';
import * as changes from '../slot/changes.ts';
import { createClaim } from '../slot/claim.ts';
import type { Connection } from '../slot/connection.ts';
import { waitLimitMs } from '../slot/lease.ts';
import type { MintOutcome } from '../slot/mint-message.ts';
import type { MintInvoker } from '../slot/minter.ts';
import { EMPTY_RECORD, type SlotRecord } from '../slot/record.ts';
import type { Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { takeLease } from '../slot/take-lease.ts';
import { findTrialBar } from '../slot/trial.ts';
import { BrokerError } from '../words/errors.ts';
import type { JsonObject } from '../words/json.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';

/** A login that an operator has tried: the report of its steps, and what came of it. */
export interface Tried {
  readonly trial: JsonObject;
  readonly outcome: Extract<MintOutcome, { outcome: 'published' | 'failed' | 'superseded' }>;
}

/**
 * Creates an operator's try of a login: `mint` makes it as any other, under the slot's lease and behind the same gate,
 * and publishes its token. Throws a `BrokerError` if no login was made, and says why.
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
}): (request: {
  readonly connection: Connection;
  readonly slot: Slot;
  readonly caller: string;
  readonly requestId: string;
  /** Monotonic milliseconds. */
  readonly deadline: number;
}) => Promise<Tried> {
  return async ({ connection, slot, caller, requestId, deadline }) => {
    const seen = await store.read(slot, { consistent: true });
    assertMayTry(connection, seen);
    const claim = createClaim(connection, seen, { now: clock.now(), random });
    const taken = await takeLease(store, slot, claim, changes.acquire(claim));
    if (!taken.isOurs) {
      if (taken.error !== undefined) throw taken.error;
      // Another was quicker.
      assertMayTry(connection, taken.record);
      throw createLeasedError(connection, undefined);
    }
    telemetry.info('A login is tried.', { connection: connection.name, subject: slot.subject, caller, requestId });
    const timeoutMs = Math.min(waitLimitMs(connection), deadline - clock.monotonic());
    const lease = { id: claim.leaseId, takenAt: claim.now };
    const invocation = await minter.invoke(connection, { ...slot, trigger: 'operator', lease }, timeoutMs);
    if (invocation.kind === 'refused') {
      await recordNotInvoked(slot, claim);
      throw new BrokerError(
        'mint_unavailable',
        `The mint function of ${connection.name} could not be invoked. Look at its concurrency and permissions.`,
      );
    }
    if (invocation.kind !== 'reply') {
      throw new BrokerError(
        'upstream_outcome_unknown',
        `The mint function of ${connection.name} did not answer, and whether the upstream counted a login is unknown. Its log says why.`,
      );
    }
    const { trial, ...outcome } = invocation.reply;
    if (outcome.outcome === 'failed' && trial === undefined) {
      const { code, cause, detail, retryAfterMs } = outcome;
      throw new BrokerError(code, detail, { retryAfterMs, cause });
    }
    if (trial !== undefined && isEnd(outcome)) return { trial, outcome };
    throw createLeasedError(connection, undefined);
  };

  /** Writes a short back-off for a `mint` that never ran. */
  async function recordNotInvoked(slot: Slot, { leaseId, ttlSeconds, seen }: Claim): Promise<void> {
    const at = clock.now();
    const notBefore = at + backOffMs('not_judged', (seen?.tries ?? 0) + 1, random);
    await store.write(
      slot,
      changes.fail({ leaseId, code: 'mint_unavailable', at, notBefore, dueAt: notBefore, ttlSeconds }),
    );
  }

  function assertMayTry(connection: Connection, record: SlotRecord | undefined): void {
    const now = clock.now();
    const bar = findTrialBar(record, connection, now);
    if (bar === undefined) return;
    const retryAfterMs = bar.until - now;
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

function isEnd(outcome: MintOutcome): outcome is Tried['outcome'] {
  return outcome.outcome === 'published' || outcome.outcome === 'failed' || outcome.outcome === 'superseded';
}

function createLeasedError({ name }: Connection, retryAfterMs: number | undefined): BrokerError {
  return new BrokerError('refresh_in_progress', `A token is being fetched from ${name} already. Try again.`, {
    retryAfterMs,
  });
}
