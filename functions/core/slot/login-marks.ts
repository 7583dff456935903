/** End of a login, as far as is known. `begun`: it has not ended, or its end was never written. */
export type FailureKind = 'begun' | 'refused' | 'unknown' | 'locked';

/** Writes a login down as a member of a set: the time that it counts from, how it ended, and its id. */
export function createMark(at: number, kind: FailureKind, id: string): string {
  return `${at} ${kind} ${id}`;
}

/** Reads the time of a mark; 0 if it has none. */
export function timeOf(mark: string): number {
  const at = Number(mark.split(' ')[0]);
  return Number.isFinite(at) ? at : 0;
}

/** Reads how the login of a mark ended. */
export function kindOf(mark: string): string | undefined {
  return mark.split(' ')[1];
}

/** Reads the id of the login of a mark. */
export function idOf(mark: string): string | undefined {
  return mark.split(' ')[2];
}

/** Returns the marks after `since`, oldest first. */
export function recent(marks: ReadonlySet<string>, since: number): readonly string[] {
  return [...marks].filter((mark) => timeOf(mark) > since).sort((one, other) => timeOf(one) - timeOf(other));
}

/** Returns the time of the mark that must lapse before fewer than `count` are left; -Infinity if there are fewer. */
export function whenBelow(count: number, marks: readonly string[]): number {
  const mark = marks.at(-count);
  return mark === undefined ? Number.NEGATIVE_INFINITY : timeOf(mark);
}
