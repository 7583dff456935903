import type { BrokerApi, SlotName } from './broker-api.ts';
import { TokenBrokerError } from './error.ts';
import { type HandOut, hashOf } from './hand-out.ts';
import { isOutage, type RetryBudget, type RetryDependencies } from './retry.ts';
import { createSingleFlight } from './single-flight.ts';

/** Allowance for clock skew, the same as the broker takes off `expires_at`. */
export const CLOCK_SKEW_MS = 5_000;
/** Limit on a question to the broker while a good token is held; it is asked only once then. */
const PATIENCE_WITH_GOOD_TOKEN_MS = 3_000;
/** Minimum time between questions for a token past its `refresh_at`, which the broker is renewing. */
const AT_LEAST_MS = 5_000;
const FIRST_BACK_OFF_MS = 1_000;
const LONGEST_BACK_OFF_MS = 60_000;

/** A token that the process holds. Times are epoch milliseconds of this machine's clock. */
export interface HeldToken {
  readonly handOut: HandOut;
  /** The hand-out's token, or the latest that the upstream slid to. */
  readonly token: string;
  /** Time to ask the broker again, while the token is still good. */
  readonly askAt: number;
  /** Time from which the token is not used. */
  readonly endsAt: number;
  /** Order in which tokens were asked for: an older answer never replaces a newer. */
  readonly order: number;
  /** Failed attempts to get a successor. */
  readonly failures: number;
}

/** Settings and dependencies of a token cache. */
export interface TokenCacheOptions extends RetryDependencies {
  readonly api: BrokerApi;
  readonly budget: RetryBudget;
  /** Maximum time before the broker is asked again, whatever `refresh_at` says. */
  readonly holdMs: number;
  /** Maximum number of slots kept; the least recently used go first. */
  readonly maximumSlots: number;
}

/** Tokens kept in the process. */
export interface TokenCache {
  /** Gets a token good for `minTtlSeconds`: the one held, or one from the broker. */
  get(slot: SlotName, minTtlSeconds?: number): Promise<HeldToken>;
  /** Reports a token by its hash, forgets it, and gets its replacement from the broker. */
  reject(slot: SlotName, rejectedHash: string): Promise<HeldToken>;
  /** Returns the token held, good or not. */
  peek(slot: SlotName): HeldToken | undefined;
  /**
   * Keeps a token that the upstream slid to, unless the slot is empty or its token was asked for later (C18). The time
   * to ask the broker next is unchanged.
   */
  slide(slot: SlotName, slid: Pick<HeldToken, 'token' | 'endsAt' | 'order'>): void;
  /** Forgets the slot's token, and ignores answers to questions asked before. */
  forget(slot: SlotName): void;
  /** Returns a number higher than all before, for `HeldToken.order`. */
  nextOrder(): number;
}

/**
 * Creates the cache. Callers of a slot share one request. If the broker cannot be reached, a token past its `askAt` is
 * used until it ends, so that callers notice an outage only then. A definite 4xx is no outage: the token is forgotten,
 * and the error thrown.
 */
export function createTokenCache({ api, budget, clock, random, holdMs, maximumSlots }: TokenCacheOptions): TokenCache {
  const held = new Map<string, HeldToken>();
  /** Order that a forgotten slot's next token must exceed; `forgottenBefore` holds for slots no longer in this map. */
  const forgottenAt = new Map<string, number>();
  let forgottenBefore = 0;
  const shared = createSingleFlight<HeldToken>();
  let lastOrder = 0;
  const nextOrder = (): number => ++lastOrder;

  function lookUp(slot: SlotName): HeldToken | undefined {
    const key = keyOf(slot);
    const found = held.get(key);
    if (found !== undefined) {
      held.delete(key);
      held.set(key, found);
    }
    return found;
  }

  function leastOrder(slot: SlotName): number {
    return Math.max(forgottenAt.get(keyOf(slot)) ?? 0, forgottenBefore);
  }

  function keep(slot: SlotName, next: HeldToken): HeldToken {
    const before = held.get(keyOf(slot));
    if (next.order <= leastOrder(slot)) return before ?? next;
    if (before !== undefined && before.order > next.order) return before;
    held.delete(keyOf(slot));
    held.set(keyOf(slot), next);
    const [oldest] = held.keys();
    if (held.size > maximumSlots && oldest !== undefined) held.delete(oldest);
    return next;
  }

  async function asked(slot: SlotName, ask: () => Promise<HandOut>): Promise<HeldToken> {
    const order = nextOrder();
    const askedAt = clock.now();
    const handOut = await ask();
    return keep(slot, heldTokenOf(handOut, { askedAt, order, holdMs }));
  }

  async function askKeeping(slot: SlotName, minTtlSeconds: number | undefined): Promise<HeldToken> {
    const current = lookUp(slot);
    const isGood = current !== undefined && isGoodFor(current, clock.now(), minTtlSeconds);
    const limits = isGood
      ? { ...budget, attempts: 1, timeoutMs: Math.min(budget.timeoutMs, PATIENCE_WITH_GOOD_TOKEN_MS) }
      : budget;
    try {
      return await asked(slot, () => api.handOut(slot, { ...limits, minTtlSeconds }));
    } catch (error) {
      if (!isOutage(error)) {
        // An unsatisfiable `minTtlSeconds` says nothing about the token held.
        const isWish = error instanceof TokenBrokerError && error.code === 'min_ttl_unsatisfiable';
        if (!isWish) held.delete(keyOf(slot));
        throw error;
      }
      // Look up again: the token may have slid meanwhile.
      const kept = lookUp(slot);
      if (kept === undefined || !isGoodFor(kept, clock.now(), minTtlSeconds)) throw error;
      const retryAfterMs = error instanceof TokenBrokerError ? (error.retryAfterMs ?? 0) : 0;
      const backOffMs =
        random() * Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(kept.failures + 1, 16));
      const askAt = clock.now() + Math.min(LONGEST_BACK_OFF_MS, retryAfterMs) + backOffMs;
      const waiting = { ...kept, askAt, failures: kept.failures + 1 };
      held.set(keyOf(slot), waiting);
      return waiting;
    }
  }

  return {
    async get(slot, minTtlSeconds) {
      const current = lookUp(slot);
      const now = clock.now();
      if (current !== undefined && now < current.askAt && isGoodFor(current, now, minTtlSeconds)) return current;
      // A caller who asks after the slot was forgotten must not join a request from before.
      return shared(`${keyOf(slot)} ${leastOrder(slot)} ${minTtlSeconds ?? ''}`, () => askKeeping(slot, minTtlSeconds));
    },
    async reject(slot, rejectedHash) {
      return shared(`${keyOf(slot)} reject ${rejectedHash}`, () => {
        const current = held.get(keyOf(slot));
        if (current !== undefined && hashOf(current.token) === rejectedHash) held.delete(keyOf(slot));
        return asked(slot, () => api.reject(slot, rejectedHash, budget));
      });
    },
    peek: (slot) => held.get(keyOf(slot)),
    slide(slot, slid) {
      const before = held.get(keyOf(slot));
      if (before !== undefined) keep(slot, { ...before, ...slid });
    },
    forget(slot) {
      const key = keyOf(slot);
      held.delete(key);
      forgottenAt.delete(key);
      forgottenAt.set(key, lastOrder);
      const [oldest] = forgottenAt;
      if (forgottenAt.size <= maximumSlots || oldest === undefined) return;
      // Answers in flight for any slot are then not kept either, which costs one more request.
      forgottenAt.delete(oldest[0]);
      forgottenBefore = Math.max(forgottenBefore, oldest[1]);
    },
    nextOrder,
  };
}

/** Reports whether a token may be used for `minTtlSeconds` more. */
export function isGoodFor({ endsAt }: HeldToken, now: number, minTtlSeconds = 0): boolean {
  return endsAt - now > minTtlSeconds * 1000;
}

/**
 * Converts a hand-out to this machine's clock: its times are counted from when it was asked for, by the token's
 * remaining life, so that a wrong clock does no harm.
 */
function heldTokenOf(
  handOut: HandOut,
  { askedAt, order, holdMs }: { readonly askedAt: number; readonly order: number; readonly holdMs: number },
): HeldToken {
  const remainingMs = handOut.toWire().expires_in * 1000;
  const brokerNow = handOut.expiresAt - CLOCK_SKEW_MS - remainingMs;
  const untilRefreshMs = handOut.refreshAt - brokerNow;
  return {
    handOut,
    token: handOut.token,
    endsAt: askedAt + remainingMs,
    askAt: askedAt + Math.min(holdMs, Math.max(untilRefreshMs, AT_LEAST_MS)),
    order,
    failures: 0,
  };
}

function keyOf({ connection, subject }: SlotName): string {
  return `${connection}/${subject}`;
}
