import type { Happening, Happenings, RecordedWrite, Watch } from './happenings.ts';
import { invariants } from './invariants.ts';
import { type Run, slotsOf, type Violation } from './run.ts';

/** The invariants as they are held against one run while it goes on. */
export interface Checks {
  readonly violations: readonly Violation[];
  /** Holds the invariants against what was logged since the last look. */
  look(): void;
}

/** Begins to hold every invariant that applies against a run, from the first thing in its log. */
export function createChecks(run: Run): Checks {
  const violations: Violation[] = [];
  const slots = slotsOf(run).map(({ connection, slot }) => {
    const writes: RecordedWrite[] = [];
    const watches = invariants.flatMap(({ number, needsClocksWithinBound = false, watch }): Watch[] => {
      if (needsClocksWithinBound && !run.scenario.isWithinSkew) return [];
      const found = (at: number, what: string, invariant = number) => {
        violations.push({ invariant, at, what: `${slot.connection}/${slot.subject}: ${what}` });
      };
      return [watch({ run, connection, slot, writes, found })];
    });
    const remember: Watch = {
      write(write) {
        writes.push(write);
      },
    };
    return { slot, watches: [remember, ...watches] };
  });

  function tell<Kind extends keyof Happenings>({ kind, at, about, what }: Happening<Kind>): void {
    let isKnown = false;
    for (const { slot, watches } of slots) {
      if (about.connection !== slot.connection || (about.subject ?? slot.subject) !== slot.subject) continue;
      if ((about.fingerprint ?? slot.fingerprint) !== slot.fingerprint) continue;
      isKnown = true;
      for (const watch of watches) watch[kind]?.(what);
    }
    if (isKnown) return;
    const whose = `${about.connection}/${about.subject}`;
    violations.push({ invariant: '8', at, what: `${kind} for ${whose}, whom nobody asked for` });
  }

  let told = 0;
  return {
    violations,
    look() {
      const { log } = run.world;
      for (let next = log[told]; next !== undefined; next = log[told]) {
        told += 1;
        tell(next);
      }
    },
  };
}
