import { CLOCK_SKEW_MS } from '../../core/slot/token.ts';

/** Values that are kept for a while, by name. */
export interface KeyCache<Value> {
  get(name: string): Value | undefined;
  set(name: string, value: Value): void;
}

/** Creates an empty cache: an entry lives `maxAgeMs` from when it was set, and the least recently used goes first. */
export function createKeyCache<Value>({
  maxEntries,
  maxAgeMs,
  now,
}: {
  readonly maxEntries: number;
  readonly maxAgeMs: number;
  readonly now: () => number;
}): KeyCache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly setAt: number }>();

  return {
    get(name) {
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      entries.delete(name);
      const age = now() - entry.setAt;
      // A clock that went back more than the skew says nothing of an entry's age.
      if (age >= maxAgeMs || age < -CLOCK_SKEW_MS) return undefined;
      entries.set(name, entry);
      return entry.value;
    },
    set(name, value) {
      entries.delete(name);
      entries.set(name, { value, setAt: now() });
      const [oldest] = entries.keys();
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    },
  };
}
