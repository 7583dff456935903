/** Says what the deploy test does, a line a step. */
export interface Report {
  /** Runs a step, and says that it is done and how long it took; a step that throws ends the test. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** Something that was seen, under the step that follows. */
  note(text: string): void;
  /** Ends the report with what the steps could not prove. */
  done(notProven: readonly { readonly what: string; readonly shown: string }[]): void;
}

/** Creates the report. */
export function createReport(write: (line: string) => void): Report {
  const begun = performance.now();
  const secondsSince = (start: number) => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  let steps = 0;
  return {
    async step(title, work) {
      const start = performance.now();
      try {
        const result = await work();
        steps += 1;
        write(`ok   ${title} (${secondsSince(start)})`);
        return result;
      } catch (error) {
        write(`FAIL ${title} (${secondsSince(start)})`);
        throw error;
      }
    },
    note: (text) => write(`     ${text}`),
    done(notProven) {
      if (notProven.length > 0) write('What this cannot prove, and where it is shown:');
      for (const { what, shown } of notProven) write(`     ${what} (${shown})`);
      write(`All ${steps} steps done, ${secondsSince(begun)}.`);
    },
  };
}
