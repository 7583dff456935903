import type { SlotName } from '../broker-api.ts';
import type { Clock } from '../clock.ts';
import { type HeldToken, isGoodFor, type TokenCache } from '../token-cache.ts';

/** Time between two looks at the slots in use. */
const LOOK_EVERY_MS = 5_000;
/** Most slots that are renewed at once. */
const AT_ONCE = 8;
/** Time after its last use for which a slot is renewed ahead. */
const IDLE_MS = 3_600_000;

/** A token for a caller, and whether it came from memory. */
export interface KeptToken {
  readonly held: HeldToken;
  readonly isFromMemory: boolean;
}

/** Tokens of the agent: like the client's cache, but no caller waits for the broker while a good token is held. */
export interface KeptTokens {
  /** Gets a token good for `minTtlSeconds`. Rejects with a `TokenBrokerError`. */
  get(slot: SlotName, minTtlSeconds: number | undefined): Promise<KeptToken>;
  /** Renews what is due among the slots in use, a few at a time. Never rejects. */
  renewDue(): Promise<void>;
  /** Calls `renewDue` every few seconds, until the function returned is called. */
  renewAhead(): () => void;
}

/** Creates the kept tokens on a cache of at most `maximumSlots`. */
export function createKeptTokens({
  cache,
  clock,
  maximumSlots,
}: {
  readonly cache: TokenCache;
  readonly clock: Pick<Clock, 'now'>;
  readonly maximumSlots: number;
}): KeptTokens {
  /** Slots in use and when they were last asked for, the longest ago first. */
  const used = new Map<string, { readonly slot: SlotName; readonly at: number }>();

  function noteUse(slot: SlotName): void {
    const key = `${slot.connection}/${slot.subject}`;
    used.delete(key);
    used.set(key, { slot, at: clock.now() });
    const [oldest] = used.keys();
    if (used.size > maximumSlots && oldest !== undefined) used.delete(oldest);
  }

  function takeDue(): SlotName[] {
    const now = clock.now();
    const due: SlotName[] = [];
    for (const [key, { slot, at }] of used) {
      const held = cache.peek(slot);
      // A token that has ended is asked for by the next caller, and by nobody else.
      if (held === undefined || now - at > IDLE_MS || !isGoodFor(held, now)) used.delete(key);
      else if (now >= held.askAt) due.push(slot);
    }
    return due;
  }

  async function renewDue(): Promise<void> {
    const due = takeDue();
    const renewInTurn = async (): Promise<void> => {
      // An outage moves the time to ask again; a definite refusal is told to the next caller.
      for (let slot = due.pop(); slot !== undefined; slot = due.pop()) await cache.get(slot).catch(() => undefined);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, renewInTurn));
  }

  return {
    async get(slot, minTtlSeconds) {
      noteUse(slot);
      const before = cache.peek(slot);
      const now = clock.now();
      if (before !== undefined && now >= before.askAt && isGoodFor(before, now, minTtlSeconds)) {
        cache.get(slot).catch(() => undefined);
        return { held: before, isFromMemory: true };
      }
      const held = await cache.get(slot, minTtlSeconds);
      return { held, isFromMemory: held.handOut === before?.handOut };
    },
    renewDue,
    renewAhead() {
      let isRenewing = false;
      const timer = setInterval(async () => {
        if (isRenewing) return;
        isRenewing = true;
        await renewDue();
        isRenewing = false;
      }, LOOK_EVERY_MS);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}
