/** Way in which a login ended: it has not, or nobody knows, while it is `begun`. */
export type FailureKind = 'begun' | 'refused' | 'unknown' | 'locked';

/** Writes a login down as a member of a set: when it was counted, how it ended, and its id. */
export function createMark(at: number, kind: FailureKind, id: string): string {
  return `${at} ${kind} ${id}`;
}

export function timeOf(mark: string): number {
  const at = Number(mark.split(' ')[0]);
  return Number.isFinite(at) ? at : 0;
}

export function kindOf(mark: string): string | undefined {
  return mark.split(' ')[1];
}

export function idOf(mark: string): string | undefined {
  return mark.split(' ')[2];
}

/** Returns the marks after `since`, oldest first. */
export function recent(marks: ReadonlySet<string>, since: number): readonly string[] {
  return [...marks].filter((mark) => timeOf(mark) > since).sort((one, other) => timeOf(one) - timeOf(other));
}

/** Returns the time of the mark that must lapse before there are fewer than `count`; 0 if there are fewer. */
export function whenBelow(count: number, marks: readonly string[]): number {
  const mark = marks.at(-count);
  return mark === undefined ? Number.NEGATIVE_INFINITY : timeOf(mark);
}
