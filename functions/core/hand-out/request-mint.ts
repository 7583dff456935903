import { backOffMs } from '../slot/back-off.ts';
import type { Claim } from '../slot/changes.ts';
import * as changes from '../slot/changes.ts';
import { createClaim } from '../slot/claim.ts';
import type { Connection } from '../slot/connection.ts';
import { waitLimitMs } from '../slot/lease.ts';
import type { MintReply, MintWay } from '../slot/mint-message.ts';
import type { MintInvoker } from '../slot/minter.ts';
import { EMPTY_RECORD, liveLease, type SlotRecord } from '../slot/record.ts';
import type { Slot } from '../slot/slot.ts';
import { takeLease } from '../slot/take-lease.ts';
import { BrokerError, type BrokerErrorCode } from '../words/errors.ts';
import { type AfterReport, acceptReport, type Report } from './report.ts';
import { type BeginWait, createBeginWait, type WaitDependencies, type WaitingRequest } from './wait.ts';

type Published = Extract<MintReply, { outcome: 'published' }>;

/** Record after a request to mint, read consistently, and the reply of `mint` if it published for this request. */
export interface AfterMint {
  readonly record: SlotRecord | undefined;
  readonly reply: Published | undefined;
}

export interface RequestMintDependencies extends WaitDependencies {
  readonly minter: MintInvoker;
}

/** Why a new token is of no use here: it does not open, or is too short to hand out by the clock here. */
export type Uselessness = 'unopened' | 'ended';

/** The request to mint, for callers who need a token that there is none of, or that they report dead. */
export interface RequestMint {
  readonly beginWait: BeginWait;
  /** Marks a token dead on a caller's report, so that another is minted. Throws `renewal_throttled` if too young. */
  acceptReport(report: Report): Promise<AfterReport>;
  /** Returns the present record if another took the lease first. Throws a `BrokerError` if there is no token. */
  mint(request: WaitingRequest, seen: SlotRecord | undefined, way: MintWay): Promise<AfterMint>;
  /** Writes a back-off, since the next token would be of no use here either. Returns the error for this one. */
  recordUseless(connection: Connection, slot: Slot, record: SlotRecord, why: Uselessness): Promise<BrokerError>;
}

/** Creates the request to mint: it takes the lease, invokes `mint` under it and reads the record after it. */
export function createRequestMint(dependencies: RequestMintDependencies): RequestMint {
  const { store, minter, clock, random, telemetry } = dependencies;
  const read = (slot: Slot) => store.read(slot, { consistent: true });

  const mint: RequestMint['mint'] = async ({ connection, slot, deadline }, seen, way) => {
    const claim = createClaim(connection, seen, { now: clock.now(), random, way });
    const taken = await takeLease(store, slot, claim, changes.acquire(claim));
    if (!taken.isOurs) {
      const { record, error } = taken;
      const isHeld = record !== undefined && liveLease(record, clock.now()) !== undefined;
      if (error !== undefined && !isHeld) throw error;
      return { record, reply: undefined };
    }
    const timeoutMs = Math.min(waitLimitMs(connection), deadline - clock.monotonic());
    const lease = { id: claim.leaseId, takenAt: claim.now, way };
    const invocation = await minter.invoke(connection, { ...slot, trigger: 'caller', lease }, timeoutMs);
    switch (invocation.kind) {
      case 'refused':
        throw await recordNotInvoked(connection, slot, claim);
      case 'function_error':
        return { record: await requirePublished(connection, slot, claim), reply: undefined };
      case 'unanswered':
        return { record: await read(slot), reply: undefined };
      case 'reply': {
        const { reply } = invocation;
        // Whoever needs another token than the one that could not be renewed logs in next.
        const isLoginNext = reply.outcome === 'failed' && reply.way === 'renewal';
        if (reply.outcome === 'failed' && !isLoginNext) throw createError(reply);
        return { record: await read(slot), reply: reply.outcome === 'published' ? reply : undefined };
      }
    }
  };

  /** Returns the record if `mint` published before its function failed; else throws. */
  async function requirePublished(connection: Connection, slot: Slot, { seen, notBefore }: Claim): Promise<SlotRecord> {
    const after = await read(slot);
    if (after !== undefined && after.generation > (seen?.generation ?? 0)) return after;
    throw new BrokerError(
      'upstream_outcome_unknown',
      `The mint function of ${connection.name} failed, and whether the upstream counted a login is unknown. Its log says why.`,
      { retryAfterMs: notBefore - clock.now() },
    );
  }

  /** Writes a short back-off and returns the error for a `mint` that never ran: no login can have been counted. */
  async function recordNotInvoked(connection: Connection, slot: Slot, claim: Claim): Promise<BrokerError> {
    const { tries, renewalTries = 0 } = claim.seen ?? EMPTY_RECORD;
    const retryAfterMs = backOffMs('not_judged', (claim.way === 'login' ? tries : renewalTries) + 1, random);
    telemetry.metrics(
      { connection: connection.name, code: 'mint_unavailable' },
      { BackOffs: { unit: 'Count', value: 1 } },
    );
    await backOff(slot, claim, 'mint_unavailable', retryAfterMs);
    return new BrokerError(
      'mint_unavailable',
      `The mint function of ${connection.name} could not be invoked. If this persists, look at its concurrency and permissions.`,
      { retryAfterMs },
    );
  }

  const recordUseless: RequestMint['recordUseless'] = async (connection, slot, record, why) => {
    const { code, detail } = describeUseless(connection, why);
    const retryAfterMs = backOffMs('unknown', record.tries + 1, random);
    const claim = createClaim(connection, record, { now: clock.now(), random, way: 'login' });
    const taken = await takeLease(store, slot, claim, changes.acquire(claim));
    if (taken.isOurs) await backOff(slot, claim, code, retryAfterMs);
    return new BrokerError(code, detail, { retryAfterMs });
  };

  async function backOff(
    slot: Slot,
    { leaseId, way = 'login', ttlSeconds }: Claim,
    code: BrokerErrorCode,
    forMs: number,
  ): Promise<void> {
    const at = clock.now();
    const notBefore = at + forMs;
    await store.write(slot, changes.fail({ leaseId, way, code, at, notBefore, dueAt: notBefore, ttlSeconds }));
  }

  return {
    acceptReport: (report) => acceptReport({ store, clock }, report),
    beginWait: createBeginWait(dependencies),
    mint,
    recordUseless,
  };
}

function createError({ code, cause, detail, retryAfterMs }: Extract<MintReply, { outcome: 'failed' }>): BrokerError {
  return new BrokerError(code, detail, { retryAfterMs, cause });
}

function describeUseless({ name }: Connection, why: Uselessness): Pick<BrokerError, 'code' | 'detail'> {
  if (why === 'unopened') {
    const detail = `A new token of ${name} cannot be opened here: this function and the mint function work with another key or another name of the broker. Deploy the whole broker again if this persists.`;
    return { code: 'kms_unavailable', detail };
  }
  const detail = `A new token of ${name} is too short to hand out by the clock of this function, though it was not by that of the mint function. Give the connection tokens that live longer, or a smaller minTtlSeconds.`;
  return { code: 'upstream_token_unusable', detail };
}
