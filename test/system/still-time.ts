import { beforeAll, vi } from 'vitest';

/**
 * Registers for the surrounding suite a `Date.now()` that stands still until the test moves it. Timers and elapsed time
 * stay real: what hangs is waited for as ever.
 */
export function useStillTime() {
  let now = 0;
  beforeAll(() => {
    now = Date.now();
    const still = vi.spyOn(Date, 'now').mockImplementation(() => now);
    return () => still.mockRestore();
  });
  return {
    /** Lets so many seconds pass at once. */
    advance({ seconds }: { readonly seconds: number }): void {
      now += seconds * 1000;
    },
    /** Lets time pass until `at`, in epoch milliseconds; none where that is over. */
    advanceTo(at: number): void {
      now = Math.max(now, at);
    },
  };
}
