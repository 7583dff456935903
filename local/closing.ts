/** Something that runs until it is closed. */
export interface Closable {
  close(): Promise<void>;
}

/** Remembers what was started, so that it can be stopped in the opposite order. */
export function createClosing(): { add<T extends Closable>(started: T): T; close(): Promise<void> } {
  const started: Closable[] = [];
  return {
    add(closable) {
      started.push(closable);
      return closable;
    },
    async close() {
      for (let last = started.pop(); last !== undefined; last = started.pop()) await last.close();
    },
  };
}
