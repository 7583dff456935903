import type { Change } from './change.ts';

/**
 * One of a connection's permits to wait for a token, an item each. It is free where nobody has written it, and again
 * once its end is past, whatever became of its holder.
 */
export interface Permit {
  /** Id of the wait that has it. */
  readonly holder?: string | undefined;
  /** Its end; epoch milliseconds. */
  readonly until: number;
}

/** A write to the item of a permit. */
export type PermitChange = Change<Permit>;

/** A permit that nobody has. */
export const FREE_PERMIT: Permit = { until: 0 };

/** Takes a permit that is free. */
export const takePermit = ({ holder, now, until }: { holder: string; now: number; until: number }): PermitChange => ({
  name: 'takePermit',
  onlyIf: [{ field: 'until', atMost: now }],
  set: { holder, until },
});

/** Gives a permit back, unless it is another's by now. */
export const returnPermit = ({ holder }: { holder: string }): PermitChange => ({
  name: 'returnPermit',
  onlyIf: [{ field: 'holder', is: holder }],
  clear: ['holder', 'until'],
});
