import type { SlotName } from './broker-api.ts';
import type { Clock } from './clock.ts';
import { TokenBrokerError } from './error.ts';
import { hashOf } from './hand-out.ts';
import { UNAUTHORIZED } from './replayable.ts';
import { CLOCK_SKEW_MS, type HeldToken, isGoodFor, type TokenCache } from './token-cache.ts';

/** One use of a token: a request to the upstream and its answer. `fetch` and all adapters are built on this. */
export interface TokenUse {
  /** Headers to send, with the token in place. */
  readonly headers: Readonly<Record<string, string>>;
  /** The header that carries the token, in lowercase: to be taken out of answers (C16). */
  readonly tokenHeader: string;
  /**
   * Records how the upstream answered, with the value of `tokenHeader` in the answer, all values where there are
   * several. A slid token is kept (C15).
   */
  answered(status: number, headerValue: string | readonly string[] | null | undefined): void;
  /**
   * Reports the token by its hash after a 401, and gives another for one retry; undefined if there is none and the
   * caller gets the 401. Never rejects.
   */
  renewed(): Promise<TokenUse | undefined>;
}

/** Begins a use of a slot's token; rejects with a `TokenBrokerError`, `usage` for a token that goes into the query. */
export type BeginUse = (slot: SlotName, minTtlSeconds?: number) => Promise<TokenUse>;

/** A token as the broker takes it: what a header carries unchanged, of at most 16 KB. */
const HEADER_SAFE = /^[\x21-\x7e]{1,16384}$/;
/** Texts that a server writes where it has no token. */
const NO_TOKEN = /^(?:null|undefined|none|nil|nan)$/i;

/**
 * Creates uses of tokens, sliding or not. A chain of slides is kept for at most `maximumSessionMs` (C20). Slides do not
 * change when the broker is asked next.
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
    // Only a token that is the whole value of its header can slide; a scheme before it rules that out.
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
        // Another request has replaced the token: try the replacement before causing a login (C18).
        const isSuperseded = current !== undefined && current.token !== held.token && current.order > held.order;
        if (isSuperseded && isGoodFor(current, clock.now())) return useOf(slot, current, renewalsLeft - 1);
        try {
          const next = await cache.reject(slot, hashOf(held.token));
          // The broker does not know slid tokens, so it may answer with its own, dead as well: allow another renewal.
          const wasSlid = held.token !== held.handOut.token;
          return next.token === held.token ? undefined : useOf(slot, next, wasSlid ? renewalsLeft - 1 : 0);
        } catch {
          // The upstream's 401 tells the caller more than the error of the renewal.
          return undefined;
        }
      },
    };
  }

  return async (slot, minTtlSeconds) => {
    const held = await cache.get(slot, minTtlSeconds);
    assertGoesIntoHeaders(slot, held);
    return useOf(slot, held, MOST_RENEWALS);
  };
}

/** Throws for a token that goes into the query: in a URL it would be shown by errors, answers and logs. */
function assertGoesIntoHeaders({ connection }: SlotName, { handOut: { token, query } }: HeldToken): void {
  if (!Object.values(query).some((value) => value.includes(token))) return;
  throw new TokenBrokerError(
    'usage',
    `The token of ${connection} goes into the query, where it would be logged: call \`client.proxy\`, or take \`query\` from \`client.token\`.`,
  );
}

/** Limit on renewals: one for a superseded token, one for a dead token. */
const MOST_RENEWALS = 2;

/** Start of the session: the time of login in the attributes, else of this token's issue (C11). */
function sessionStartedAt({ handOut }: HeldToken): number {
  const { asOf } = handOut.attributes;
  const loggedInAt = typeof asOf === 'string' ? Date.parse(asOf) : Number.NaN;
  return Number.isNaN(loggedInAt) ? handOut.issuedAt : loggedInAt;
}

/** Reads the new token of an answer; undefined if it is missing, empty or ambiguous (C16). */
function slidTokenOf(headerValue: string | readonly string[] | null | undefined): string | undefined {
  const lines = typeof headerValue === 'string' ? [headerValue] : (headerValue ?? []);
  const values = new Set(lines.flatMap((line) => line.split(',').map((value) => value.trim())));
  const [only] = values;
  const isOne = values.size === 1 && only !== undefined && HEADER_SAFE.test(only) && !NO_TOKEN.test(only);
  return isOne ? only : undefined;
}
