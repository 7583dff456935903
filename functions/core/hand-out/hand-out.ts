import { type Connection, lifetimeSecondsOf } from '../slot/connection.ts';
import { type Slot, slotId } from '../slot/slot.ts';
import { CLOCK_SKEW_MS, isUsable, type Token } from '../slot/token.ts';
import { BrokerError } from '../words/errors.ts';
import { createSingleFlight } from '../words/single-flight.ts';
import type { Audit, HandOutRoute, HandOutSource } from './audit.ts';
import { recordHandOut } from './audit.ts';
import { createLookup, type LookupDependencies } from './lookup.ts';
import type { TokenMemory } from './memory.ts';

/** Time within which two looks at the store may overlap. */
const OVERLAP_MS = 60_000;

export interface HandOutRequest {
  readonly connection: Connection;
  readonly slot: Slot;
  /** The caller's own `min_ttl`, in seconds. */
  readonly minTtlSeconds?: number | undefined;
  /** SHA-256 of a token that the caller reports dead, since the upstream answered 401 to it. */
  readonly rejectedHash?: string | undefined;
  readonly via?: HandOutRoute;
  /** ARN of the IAM principal, or the federated identity. */
  readonly caller: string;
  readonly requestId: string;
  /** Time by which the caller's answer must be ready; monotonic milliseconds. */
  readonly deadline: number;
}

/** One token for one caller. */
export interface HandOut {
  readonly token: Token;
  readonly source: HandOutSource;
}

export interface HandOutDependencies extends LookupDependencies {
  readonly memory: TokenMemory;
  readonly audit: Audit;
}

/**
 * Creates the hand-out of tokens: from memory, else from the store, else by having one minted, once for all who ask.
 * Every hand-out is recorded before it is returned. Throws a `BrokerError` if there is no token to hand out.
 */
export function createHandOut(dependencies: HandOutDependencies): (request: HandOutRequest) => Promise<HandOut> {
  const { memory, clock, telemetry } = dependencies;
  const lookup = createLookup(dependencies);
  const once = createSingleFlight<HandOut>();

  async function obtain(request: HandOutRequest, minTtlSeconds: number): Promise<HandOut> {
    const flight = `${slotId(request.slot)}#${minTtlSeconds}#${request.rejectedHash ?? ''}`;
    for (let joined = false; ; joined = true) {
      let isOwn = false;
      const begin = (): Promise<HandOut> => {
        isOwn = true;
        return look(request, minTtlSeconds);
      };
      try {
        const { value, shared } = await once(flight, begin);
        return { token: value.token, source: shared ? 'cache' : value.source };
      } catch (error) {
        // A look begun for somebody else may have run out of time while this caller still has its own.
        const ranOut = error instanceof BrokerError && error.code === 'refresh_in_progress';
        if (isOwn || joined || !ranOut || !lookup.hasTimeToMint(request)) throw error;
      }
    }
  }

  async function look(request: HandOutRequest, minTtlSeconds: number): Promise<HandOut> {
    const { slot, rejectedHash } = request;
    try {
      const obtained = await lookup.find({ ...request, minTtlSeconds });
      reportOlder(obtained.token, slot);
      memory.remember(slot, obtained.token, obtained.readAt);
      return obtained;
    } catch (error) {
      const remembered = memory.last(slot);
      const canServe = rejectedHash === undefined && isOutage(error) && remembered !== undefined;
      if (canServe && isUsable(remembered, clock.now(), minTtlSeconds)) return { token: remembered, source: 'cache' };
      throw error;
    }
  }

  /** Says so where the store has gone back to a token older than one that this instance has seen for a while. */
  function reportOlder({ generation, issuedAt }: Token, slot: Slot): void {
    const seen = memory.last(slot);
    const isOlder = seen !== undefined && generation < seen.generation && issuedAt < seen.issuedAt;
    // A look that need not be consistent may see less for a moment.
    if (!isOlder || clock.now() - seen.issuedAt < OVERLAP_MS) return;
    const { connection, subject } = slot;
    telemetry.metrics({ connection }, { CiphertextRejected: { unit: 'Count', value: 1 } });
    telemetry.warn('The store holds a token older than one seen: an old item was put back.', {
      ...{ connection, subject, generation, seenGeneration: seen.generation },
    });
  }

  return async function handOut(request) {
    const { connection } = request;
    const minTtlSeconds = Math.max(connection.minTtlSeconds, request.minTtlSeconds ?? 0);
    assertServable(request, minTtlSeconds);

    const handedOut = readMemory(request, minTtlSeconds, memory, clock.now()) ?? (await obtain(request, minTtlSeconds));
    await recordHandOut(dependencies, request, handedOut);
    return handedOut;
  };
}

/** Hands out from memory a token that is before its `refreshAt` and was read within `memorySeconds`. */
function readMemory(
  { connection, slot, rejectedHash }: HandOutRequest,
  minTtlSeconds: number,
  memory: TokenMemory,
  now: number,
): HandOut | undefined {
  if (rejectedHash !== undefined) return undefined;
  const token = memory.recent(slot, now, connection.memorySeconds);
  if (token === undefined || now >= token.refreshAt || !isUsable(token, now, minTtlSeconds)) return undefined;
  return { token, source: 'cache' };
}

function whyNotHandedOut({ name, proxyOnly, tokensOverlap }: Connection): string | undefined {
  if (proxyOnly) return `API calls of ${name} carry a part of its credential`;
  return tokensOverlap ? undefined : `The upstream of ${name} ends the old token when it issues a new one`;
}

function assertServable({ connection, via }: HandOutRequest, minTtlSeconds: number): void {
  const why = whyNotHandedOut(connection);
  if (why !== undefined && via !== 'proxy') {
    throw new BrokerError(
      'handout_disabled',
      `${why}, so its tokens are not handed out. Call it through /proxy/${connection.name}.`,
    );
  }
  const longestSeconds = lifetimeSecondsOf(connection) - CLOCK_SKEW_MS / 1000;
  if (minTtlSeconds > longestSeconds) {
    throw new BrokerError(
      'min_ttl_unsatisfiable',
      `A fresh token of ${connection.name} is good for ${longestSeconds} s at most. Ask for less.`,
    );
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof BrokerError && (error.code === 'store_unavailable' || error.code === 'kms_unavailable');
}
