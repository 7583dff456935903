import { beforeAll, vi } from 'vitest';

/** The time of day of this process, in the hands of a test. */
export interface StillTime {
  /** Lets so many seconds pass at once. */
  advance(by: { readonly seconds: number }): void;
  /** Lets time pass until `at`, in epoch milliseconds; none where that is over. */
  advanceTo(at: number): void;
}

/**
 * Registers for the surrounding suite a `Date.now()` that stands still until the test moves it. Timers and elapsed time
 * stay real: what hangs is waited for as ever.
 */
export function useStillTime(): StillTime {
  let now = 0;
  beforeAll(() => {
    now = Date.now();
    const still = vi.spyOn(Date, 'now').mockImplementation(() => now);
    return () => still.mockRestore();
  });
  return {
    advance({ seconds }) {
      now += seconds * 1000;
    },
    advanceTo(at) {
      now = Math.max(now, at);
    },
  };
}
