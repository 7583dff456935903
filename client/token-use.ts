import type { SlotName } from './broker-api.ts';
import type { Clock } from './clock.ts';
import { hashOf } from './hand-out.ts';
import { UNAUTHORIZED } from './replayable.ts';
import { CLOCK_SKEW_MS, type HeldToken, isGoodFor, type TokenCache } from './token-cache.ts';

/** A token about to be used for one request to the upstream. Every way of calling an upstream is built on this. */
export interface TokenUse {
  /** What to send: the token in its place. */
  readonly headers: Readonly<Record<string, string>>;
  /** The header that carries the token, in lowercase: to be taken out of answers (C16). */
  readonly tokenHeader: string;
  /**
   * Tells how the upstream answered, with the value of `tokenHeader` in the answer, all values where there are several.
   * A slid token is kept (C15).
   */
  answered(status: number, headerValue: string | readonly string[] | null | undefined): void;
  /**
   * After a 401: reports the token by its hash, and gives another to try once more with; undefined where there is none,
   * and the 401 must do. Never rejects.
   */
  renewed(): Promise<TokenUse | undefined>;
}

/** Begins a use of a slot's token; rejects with a `TokenBrokerError`. */
export type BeginUse = (slot: SlotName, minTtlSeconds?: number) => Promise<TokenUse>;

const HEADER_SAFE = /^[\x21-\x7e]{1,8192}$/;

/**
 * Creates the uses of tokens, for connections whose tokens slide and for those whose do not. A chain of slides is kept
 * for `maximumSessionMs` at the most (C20), and the broker is asked when it would have been without them.
 */
export function createTokenUses({
  cache,
  clock,
  maximumSessionMs,
}: {
  readonly cache: TokenCache;
  readonly clock: Pick<Clock, 'now'>;
  readonly maximumSessionMs: number;
}): BeginUse {
  function useOf(slot: SlotName, held: HeldToken, renewalsLeft: number): TokenUse {
    const [header, value] = Object.entries(held.handOut.headers)[0] ?? ['authorization', ''];
    // Only a token alone in a header of its own slides: a scheme before it is no part of it.
    const canSlide = held.handOut.tokenType === 'N_A' && value === held.handOut.token;
    const order = cache.nextOrder();
    const startedAt = clock.now();

    return {
      headers: canSlide ? { [header]: held.token } : held.handOut.headers,
      tokenHeader: header.toLowerCase(),

      answered(status, headerValue) {
        if (!canSlide || status === UNAUTHORIZED) return;
        const token = slidTokenOf(headerValue);
        if (token === undefined || token === held.token) return;
        const { expiresAt, issuedAt } = held.handOut;
        if (clock.now() - sessionStartedAt(held) >= maximumSessionMs) return;
        cache.slide(slot, { token, order, endsAt: startedAt + (expiresAt - issuedAt) - CLOCK_SKEW_MS });
      },

      async renewed() {
        if (renewalsLeft === 0) return undefined;
        const current = cache.peek(slot);
        // A token that others have replaced meanwhile: theirs first, before anybody logs in (C18).
        const isSuperseded = current !== undefined && current.token !== held.token && current.order > held.order;
        if (isSuperseded && isGoodFor(current, clock.now())) return useOf(slot, current, renewalsLeft - 1);
        try {
          const next = await cache.reject(slot, hashOf(held.token));
          // The broker knows no slid token of ours, so its report renews nothing: its own may be dead as well.
          const wasSlid = held.token !== held.handOut.token;
          return next.token === held.token ? undefined : useOf(slot, next, wasSlid ? renewalsLeft - 1 : 0);
        } catch {
          // The upstream's own 401 says more to the caller than why there is no other token.
          return undefined;
        }
      },
    };
  }

  return async (slot, minTtlSeconds) => useOf(slot, await cache.get(slot, minTtlSeconds), MOST_RENEWALS);
}

/** One for the token of a predecessor, one for a token that is dead. */
const MOST_RENEWALS = 2;

/** The session began with the login, which the attributes are as of; with this token, where nothing is said (C11). */
function sessionStartedAt({ handOut }: HeldToken): number {
  const { asOf } = handOut.attributes;
  const loggedInAt = typeof asOf === 'string' ? Date.parse(asOf) : Number.NaN;
  return Number.isNaN(loggedInAt) ? handOut.issuedAt : loggedInAt;
}

/** The one new token of an answer; what is missing, empty or contradicts itself renews nothing (C16). */
function slidTokenOf(headerValue: string | readonly string[] | null | undefined): string | undefined {
  const lines = typeof headerValue === 'string' ? [headerValue] : (headerValue ?? []);
  const values = new Set(lines.flatMap((line) => line.split(',').map((value) => value.trim())));
  const [only] = values;
  return values.size === 1 && only !== undefined && HEADER_SAFE.test(only) ? only : undefined;
}
