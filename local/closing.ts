/** Something that runs until it is closed. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Remembers what was started, so that it can be stopped in the opposite order. `close` stops each, also where another
 * cannot be stopped, and then rejects with the first error.
 */
export function createClosing(): { add<T extends Closable>(started: T): T; close(): Promise<void> } {
  const started: Closable[] = [];
  return {
    add(closable) {
      started.push(closable);
      return closable;
    },
    async close() {
      const errors: unknown[] = [];
      for (let last = started.pop(); last !== undefined; last = started.pop()) {
        await last.close().catch((error: unknown) => errors.push(error));
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
