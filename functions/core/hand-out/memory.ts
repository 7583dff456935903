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
      const known = entries.get(id);
      if (known !== undefined && isOvertaken({ token, readAt }, known)) return;
      entries.delete(id);
      entries.set(id, { token, readAt });
      const [oldest] = entries.keys();
      if (entries.size > maximumEntries && oldest !== undefined) entries.delete(oldest);
    },
  };
}

/**
 * Reports whether `look` found an older token than `by`, which is remembered. Looks that overlap can end in any order,
 * and one that is not consistent can begin later and still find the older token: so the token issued later wins, and of
 * equal ones the later look. Looks 30 s apart or more cannot overlap, unless the clock was set: then `look` wins.
 */
function isOvertaken(look: Remembered, by: Remembered): boolean {
  const aheadMs = by.readAt - look.readAt;
  if (Math.abs(aheadMs) >= LONGEST_LOOK_MS) return false;
  const { issuedAt } = look.token;
  return issuedAt === by.token.issuedAt ? aheadMs > 0 : issuedAt < by.token.issuedAt;
}
