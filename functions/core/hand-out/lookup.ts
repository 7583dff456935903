import type { Connection } from '../slot/connection.ts';
import { timeNeededToMintMs } from '../slot/lease.ts';
import { type Opening, openToken } from '../slot/open-token.ts';
import { EMPTY_RECORD } from '../slot/record.ts';
import type { Slot } from '../slot/slot.ts';
import type { Token } from '../slot/token.ts';
import type { HandOutRoute, HandOutSource } from './audit.ts';
import { nextStep, type TokenId, tokenIdOf } from './next-step.ts';
import { noteUse } from './refresh-ahead.ts';
import type { AfterReport } from './report.ts';
import type { AfterMint, RequestMint, RequestMintDependencies } from './request-mint.ts';
import type { Wait } from './wait.ts';

export interface LookupDependencies extends RequestMintDependencies, Opening {
  readonly requestMint: RequestMint;
}

export interface LookupRequest {
  readonly connection: Connection;
  readonly slot: Slot;
  /** Least time that the token must have left: the larger of the connection's and the caller's. */
  readonly minTtlSeconds: number;
  readonly caller: string;
  readonly rejectedHash?: string | undefined;
  /** Token that the broker knows to be dead: only another will do, however young it is. */
  readonly dead?: TokenId | undefined;
  readonly via?: HandOutRoute;
  readonly deadline: number;
}

export interface Obtained {
  readonly token: Token;
  readonly source: HandOutSource;
  /** Time at which the store was read for it; epoch milliseconds. */
  readonly readAt: number;
}

interface FirstLook extends AfterReport {
  readonly isConsistent: boolean;
}

/**
 * Creates the lookup. `find` reads the token of a slot from the store; if there is none to hand out, it has one minted,
 * or waits for the holder of the lease. `next-step.ts` has the rules. `find` throws a `BrokerError`.
 */
export function createLookup(dependencies: LookupDependencies): {
  find(request: LookupRequest): Promise<Obtained>;
  hasTimeToMint(request: Pick<LookupRequest, 'connection' | 'deadline'>): boolean;
} {
  const { store, requestMint, clock } = dependencies;

  function hasTimeToMint({ connection, deadline }: Pick<LookupRequest, 'connection' | 'deadline'>): boolean {
    return deadline - clock.monotonic() >= timeNeededToMintMs(connection);
  }

  async function find(request: LookupRequest): Promise<Obtained> {
    const { connection, slot } = request;
    let { record: found, isConsistent, not } = await lookFirst(request);
    const firstSeen = found?.generation ?? 0;
    let minted: AfterMint['reply'];
    let wait: Wait | undefined;
    try {
      for (;;) {
        const record = found ?? EMPTY_RECORD;
        const at = clock.now();
        // A token minted for this request will do, even if the upstream issued the rejected one again.
        const excluded = record.generation === minted?.generation ? undefined : not;
        const want = { ...request, not: excluded, firstSeen };
        const step = nextStep(want, { record, isConsistent, at }, hasTimeToMint(request));
        if ((step.do === 'wait' || step.do === 'mint') && wait === undefined) {
          wait = await requestMint.beginWait(request, isConsistent);
          // Too many wait: a reading that lags may have missed a token.
          if (wait === undefined) {
            found = await store.read(slot, { consistent: true });
            isConsistent = true;
            continue;
          }
        }
        switch (step.do) {
          case 'open': {
            // Whoever still waits for a permit need not wait for KMS.
            const ended = wait?.end();
            wait = undefined;
            const token = await openToken(dependencies, slot, step.record).finally(() => ended);
            const isMintedForUs = record.generation === minted?.generation;
            if (token !== undefined) {
              await noteUse(dependencies, { connection, slot, record: step.record, now: at, via: request.via });
              return { token, source: isMintedForUs && minted ? minted.source : 'cache', readAt: at };
            }
            if (isMintedForUs) throw await requestMint.recordUseless(connection, slot, record, 'unopened');
            not = tokenIdOf(step.record);
            break;
          }
          case 'wait':
            found = await wait?.look(record);
            isConsistent = true;
            break;
          case 'read again':
            found = await store.read(slot, { consistent: true });
            isConsistent = true;
            break;
          case 'mint': {
            const isJustIssued = minted?.source === 'login' && minted.generation === record.generation;
            if (isJustIssued) throw await requestMint.recordUseless(connection, slot, record, 'ended');
            const { record: after, reply } = await requestMint.mint(request, found, step.way);
            found = after;
            minted = reply ?? minted;
            isConsistent = true;
            break;
          }
          case 'fail':
            throw step.error;
        }
      }
    } finally {
      await wait?.end();
    }
  }

  async function lookFirst({ connection, slot, caller, rejectedHash, dead: not }: LookupRequest): Promise<FirstLook> {
    if (rejectedHash !== undefined) {
      const report = await requestMint.acceptReport({ connection, slot, caller, rejectedHash });
      return { ...report, isConsistent: true };
    }
    const isConsistent = not !== undefined;
    return { record: await store.read(slot, { consistent: isConsistent }), isConsistent, not };
  }

  return { find, hasTimeToMint };
}
