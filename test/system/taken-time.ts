import { onTestFinished, vi } from 'vitest';

const machineTimer = setTimeout;
const STEP_MS = 20;

/**
 * Takes the time of day, the time that elapsed and `setTimeout` of this process, until the test ends. Between two steps
 * the process does what there is to do, however long a busy machine takes for it.
 */
export function takeTime() {
  vi.useFakeTimers({
    now: Date.now(),
    toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'],
    fakeNodeBuiltins: true,
  });
  onTestFinished(() => void vi.useRealTimers());
  return {
    /** Lets so much time pass at once. */
    advance: ({ seconds }: { readonly seconds: number }) => void vi.advanceTimersByTime(seconds * 1000),
    /** Lets time pass, step by step, until `work` settles; throws where that takes more than `seconds`. */
    async passUntil<T>(work: Promise<T>, { seconds }: { readonly seconds: number }): Promise<T> {
      let isOver = false;
      const settled = () => {
        isOver = true;
      };
      work.then(settled, settled);
      for (let passedMs = 0; !isOver; passedMs += STEP_MS) {
        if (passedMs > seconds * 1000) throw new Error(`It did not end within ${seconds} s.`);
        vi.advanceTimersByTime(STEP_MS);
        await new Promise((resolve) => machineTimer(resolve, 1));
      }
      return work;
    },
  };
}
