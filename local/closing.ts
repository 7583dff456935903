/** Running part that can be closed. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Collects started parts and closes them in reverse order. `close` closes each, even if another fails, and then rejects
 * with the first error.
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
