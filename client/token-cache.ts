import type { BrokerApi, SlotName } from './broker-api.ts';
import { TokenBrokerError } from './error.ts';
import { type HandOut, hashOf } from './hand-out.ts';
import { isOutage, type RetryBudget, type RetryDependencies } from './retry.ts';
import { createSingleFlight } from './single-flight.ts';

/** As the broker takes off `expires_at`: the clock skew that it allows for. */
export const CLOCK_SKEW_MS = 5_000;
/** While a good token is there, the broker is asked once, and for no longer than this. */
const PATIENCE_WITH_GOOD_TOKEN_MS = 3_000;
/** A token already past its `refresh_at` is being renewed by the broker: it is asked again soon, but not each time. */
const AT_LEAST_MS = 5_000;
const FIRST_BACK_OFF_MS = 1_000;
const LONGEST_BACK_OFF_MS = 60_000;

/** A token that the process holds. Times are epoch milliseconds of this machine's clock. */
export interface HeldToken {
  readonly handOut: HandOut;
  /** What is sent: the hand-out's, or one that the upstream slid to since. */
  readonly token: string;
  /** When the broker is asked again, though the token is good. */
  readonly askAt: number;
  /** From when on it is not used. */
  readonly endsAt: number;
  /** Orders tokens by when they were asked for: an older answer never replaces a newer. */
  readonly order: number;
  /** Attempts to ask for the next that failed since. */
  readonly failures: number;
}

export interface TokenCacheOptions extends RetryDependencies {
  readonly api: BrokerApi;
  readonly budget: RetryBudget;
  /** The longest time before the broker is asked again, whatever `refresh_at` says. */
  readonly holdMs: number;
  /** The most slots that are kept; the least recently used go first. */
  readonly maximumSlots: number;
}

/** Tokens kept in the process. */
export interface TokenCache {
  /** A token good for `minTtlSeconds`: the one held, or one that the broker hands out. */
  get(slot: SlotName, minTtlSeconds?: number): Promise<HeldToken>;
  /** Reports a token by its hash, forgets it, and gives what the broker hands out in its place. */
  reject(slot: SlotName, rejectedHash: string): Promise<HeldToken>;
  /** What is held, whether it is good or not. */
  peek(slot: SlotName): HeldToken | undefined;
  /**
   * Takes up a token that the upstream slid to, unless what is held was asked for later (C18), or nothing is. When the
   * broker is asked next stays as it was.
   */
  slide(slot: SlotName, slid: Pick<HeldToken, 'token' | 'endsAt' | 'order'>): void;
  /** Forgets what is held, and lets nothing in that was asked for before. */
  forget(slot: SlotName): void;
  /** A number higher than all before, for `HeldToken.order`. */
  nextOrder(): number;
}

/**
 * Creates the cache. For each slot one request is in flight, however many ask. A token past its `askAt` but good is
 * handed out whenever the broker cannot be asked: an outage is noticed at the token's end, not before. A definite 4xx
 * is no outage: the token is forgotten, and the error thrown.
 */
export function createTokenCache({ api, budget, clock, random, holdMs, maximumSlots }: TokenCacheOptions): TokenCache {
  const held = new Map<string, HeldToken>();
  /** The `order` that a slot's next token must exceed, since the slot was forgotten; and that of slots no longer in it. */
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
        // That a wish cannot be met says nothing about the token held.
        const isWish = error instanceof TokenBrokerError && error.code === 'min_ttl_unsatisfiable';
        if (!isWish) held.delete(keyOf(slot));
        throw error;
      }
      // Looked up again: a slide may have come meanwhile.
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
      // Who asks after the slot was forgotten does not join whoever asked before.
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
      // What is in flight for any slot since then is not kept either, which costs one more question.
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
 * What a hand-out means by this machine's clock: times are counted from when it was asked for, by what remained of the
 * token, so that a clock that is off does no harm.
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
