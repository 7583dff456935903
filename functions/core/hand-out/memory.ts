import { type Slot, slotId } from '../slot/slot.ts';
import { CLOCK_SKEW_MS, type Token } from '../slot/token.ts';

/** The most tokens that one instance remembers; the one read longest ago goes first. */
const MAXIMUM_ENTRIES = 1_000;
/** Longest look at the store: the functions that look are ended before it. */
const LONGEST_LOOK_MS = 30_000;

interface Remembered {
  readonly token: Token;
  readonly readAt: number;
}

/**
 * Tokens that this instance has read, by slot, in the clear from one request to the next. An answer that was written
 * for one of them may be kept too, for as long as the token itself is.
 */
export interface TokenMemory {
  /** Returns the token if it was read from the store within `maxAgeSeconds`. */
  recent(slot: Slot, now: number, maxAgeSeconds: number): Token | undefined;
  /** Returns the token however long ago it was read; for an outage of the store. */
  last(slot: Slot): Token | undefined;
  remember(slot: Slot, token: Token, readAt: number): void;
}

/** Creates an empty memory, one for each instance. */
export function createTokenMemory(maximumEntries = MAXIMUM_ENTRIES): TokenMemory {
  const entries = new Map<string, Remembered>();

  return {
    recent(slot, now, maxAgeSeconds) {
      const entry = entries.get(slotId(slot));
      if (entry === undefined) return undefined;
      const age = now - entry.readAt;
      // If the clock went back more than the skew, the age of the entry is unknown.
      return age < maxAgeSeconds * 1000 && age >= -CLOCK_SKEW_MS ? entry.token : undefined;
    },
    last(slot) {
      return entries.get(slotId(slot))?.token;
    },
    remember(slot, token, readAt) {
      const id = slotId(slot);
      const aheadMs = (entries.get(id)?.readAt ?? 0) - readAt;
      // Of two overlapping looks, the later begun has the newer token; a larger gap means that the clock went back.
      if (aheadMs > 0 && aheadMs < LONGEST_LOOK_MS) return;
      entries.delete(id);
      entries.set(id, { token, readAt });
      const [oldest] = entries.keys();
      if (entries.size > maximumEntries && oldest !== undefined) entries.delete(oldest);
    },
  };
}
