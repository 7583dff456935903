import { beforeAll, vi } from 'vitest';

/** The time of day of this process, in the hands of a test. */
export interface MovedTime {
  /** Lets so many seconds pass at once. */
  advance(by: { readonly seconds: number }): void;
  /** Lets time pass until `at`, in epoch milliseconds; none where that is over. */
  advanceTo(at: number): void;
}

/**
 * Registers for the surrounding suite a `Date.now()` that is ahead of the machine's by all that was let pass. Timers
 * and elapsed time stay real.
 */
export function useMovedTime(): MovedTime {
  let aheadMs = 0;
  beforeAll(() => {
    const machineNow = Date.now;
    const moved = vi.spyOn(Date, 'now').mockImplementation(() => machineNow() + aheadMs);
    return () => moved.mockRestore();
  });
  return {
    advance({ seconds }) {
      aheadMs += seconds * 1000;
    },
    advanceTo(at) {
      aheadMs += Math.max(0, at - Date.now());
    },
  };
}
