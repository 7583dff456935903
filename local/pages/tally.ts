import type { Sample } from '../../client/dashboard/history.ts';

const MINUTE_MS = 60_000;
const KEPT_MS = 24 * 60 * MINUTE_MS;

/** Counts by the minute, for the page's history. */
export interface Tally {
  add(counted: Omit<Sample, 'at'>): void;
  /** Returns the counts of the last 24 hours. */
  samples(): readonly Sample[];
}

/** Creates a tally in memory: what was counted in the same minute is one sample. */
export function createTally(now: () => number): Tally {
  /** Counts of a minute by connection, kind and code. */
  const minutes = new Map<number, Map<string, Sample>>();

  function forget(): void {
    for (const minute of minutes.keys()) {
      if (minute >= now() - KEPT_MS) break;
      minutes.delete(minute);
    }
  }

  return {
    add({ connection, kind, count, code }) {
      const at = Math.floor(now() / MINUTE_MS) * MINUTE_MS;
      const counts = minutes.get(at) ?? new Map<string, Sample>();
      if (!minutes.has(at)) forget();
      minutes.set(at, counts);
      const key = [connection, kind, code].join(' ');
      counts.set(key, { connection, kind, code, at, count: count + (counts.get(key)?.count ?? 0) });
    },
    samples() {
      forget();
      return [...minutes.values()].flatMap((counts) => [...counts.values()]);
    },
  };
}
