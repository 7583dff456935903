import type { Change, Condition } from '../../functions/core/slot/change.ts';
import type { Sabotage } from '../simulation/sabotage.ts';

/** Lists the parts of a change by name: its conditions, and its effect on each field. */
export function listParts<R>(change: Change<R>): string[] {
  const { onlyIf, set, setIfAbsent, add, clear = [] } = change;
  const name = nameOf(change);
  const given = (values: object = {}) =>
    Object.entries(values).flatMap(([path, value]) => (value === undefined ? [] : [path]));
  return [
    ...onlyIf.map((condition) => `${name} only if ${subjectOf(condition)}`),
    ...given(set).map((path) => `${name} sets ${path}`),
    ...given(setIfAbsent).map((path) => `${name} sets ${path} if absent`),
    ...given(add).map((path) => `${name} adds to ${path}`),
    ...clear.map((field) => `${name} clears ${field}`),
  ];
}

/** Removes one part of a change; a change without that part stays as it is. */
export function removePart<R>(change: Change<R>, part: string): Change<R> {
  const { onlyIf, set, setIfAbsent, add, clear = [] } = change;
  const name = nameOf(change);
  /** The values that are left keep their types. */
  const rest = <Values extends object>(values: Values | undefined, named: (path: string) => string) =>
    Object.fromEntries(Object.entries(values ?? {}).filter(([path]) => named(path) !== part)) as Values;
  return {
    ...change,
    onlyIf: onlyIf.filter((condition) => `${name} only if ${subjectOf(condition)}` !== part),
    set: rest(set, (path) => `${name} sets ${path}`),
    setIfAbsent: rest(setIfAbsent, (path) => `${name} sets ${path} if absent`),
    add: rest(add, (path) => `${name} adds to ${path}`),
    clear: clear.filter((field) => `${name} clears ${field}` !== part),
  };
}

/** Tells the two changes of one name apart: the first makes an item. */
function nameOf<R>({ name, onlyIf }: Change<R>): string {
  const isFirst = onlyIf.some((condition) => 'item' in condition && condition.item === 'absent');
  return isFirst ? `first ${name}` : name;
}

function subjectOf<R>(condition: Condition<R>): string {
  if ('item' in condition) return `item ${condition.item}`;
  const { field } = condition;
  // One condition of a claim: the back-off of the way that it is for is over.
  if (field === 'renewalNotBefore') return 'notBefore';
  return 'present' in condition ? `${field} present` : field;
}

/** Creates a broker whose changes lack one part. */
export function sabotagePart(part: string): Sabotage {
  return {
    store: (store) => ({
      ...store,
      write: (slot, change) => store.write(slot, removePart(change, part)),
      writeAndRead: (slot, change) => store.writeAndRead(slot, removePart(change, part)),
      writeLogins: (connection, change) => store.writeLogins(connection, removePart(change, part)),
      writeKept: (connection, change) => store.writeKept(connection, removePart(change, part)),
      writePermit: (connection, number, change) => store.writePermit(connection, number, removePart(change, part)),
    }),
  };
}
