/** Timer in place of EventBridge Scheduler. */
export interface Schedule {
  /** Stops the timer and waits for a running sweep. */
  close(): Promise<void>;
}

/** Runs `sweep` every `everySeconds`; never two at once. */
export function startSchedule(everySeconds: number, sweep: () => Promise<void>): Schedule {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= sweep().finally(() => {
      running = undefined;
    });
  }, everySeconds * 1000);
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
