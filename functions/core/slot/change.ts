/**
 * One conditional write to one item, as data: the conditions on its record, and the values that change. A store carries
 * changes out and knows none of the rules. If one condition is false, nothing is written.
 */
export interface Change<R> {
  readonly name: string;
  readonly onlyIf: readonly Condition<R>[];
  /** Values to set, by path; an undefined one leaves the field as it is. */
  readonly set?: FieldValues<R>;
  /** Values to set where the field is absent. */
  readonly setIfAbsent?: Pick<FieldValues<R>, Field<R> & Leaf<R>>;
  /** Amounts to add to numbers, and members to add to sets; an absent field is 0 or the empty set. */
  readonly add?: { readonly [F in keyof R]?: R[F] extends ReadonlySet<infer Member> ? Member : number };
  readonly clear?: readonly Field<R>[];
}

/**
 * An absent number reads as 0. `is` undefined: absent. `atMost` and `below` also hold for an absent field.
 */
export type Condition<R> =
  | { readonly item: 'present' | 'absent' }
  | { readonly field: Path<R>; readonly is: string | number | undefined }
  | { readonly field: Path<R>; readonly atMost: number }
  | { readonly field: Path<R>; readonly below: number }
  | { readonly field: Field<R>; readonly present: true };

export type Field<R> = keyof R & string;
/** A field that is one value (`fence`), or a part of one that is several (`lease.id`). */
export type Leaf<R> = {
  [F in Field<R>]-?: NonNullable<R[F]> extends Single ? F : `${F}.${Field<NonNullable<R[F]>>}`;
}[Field<R>];
export type Path<R> = Field<R> | Leaf<R>;
export type Single = string | number | Uint8Array | ReadonlySet<string>;

type FieldValues<R> = { readonly [P in Path<R>]?: ValueAt<R, P> | undefined };
type ValueAt<R, P> = P extends keyof R
  ? NonNullable<R[P]>
  : P extends `${infer F extends Field<R>}.${infer Part}`
    ? ValueAt<NonNullable<R[F]>, Part>
    : never;

/** Reports whether the conditions of a change hold for a record; undefined is an absent item. */
export function holdsFor<R>(change: Change<R>, record: R | undefined): boolean {
  return change.onlyIf.every((condition) => {
    if ('item' in condition) return (record !== undefined) === (condition.item === 'present');
    const value = valueAt(record, condition.field);
    if ('present' in condition) return value !== undefined;
    if ('is' in condition) return value === condition.is || (value === undefined && condition.is === 0);
    const number = typeof value === 'number' ? value : 0;
    return number === 0 || ('below' in condition ? number < condition.below : number <= condition.atMost);
  });
}

/** Returns the record after a change whose conditions hold; `empty` is the record of an absent item. */
export function applyChange<R extends object>(change: Change<R>, record: R | undefined, empty: R): R {
  const { set = {}, setIfAbsent = {}, add = {}, clear = [] } = change;
  const next = new Map<string, unknown>(Object.entries({ ...empty, ...record }));
  for (const field of clear) next.set(field, empty[field]);
  for (const [field, value] of Object.entries(setIfAbsent)) next.set(field, next.get(field) ?? value);
  for (const [path, value] of Object.entries(set)) {
    const [field = '', part] = path.split('.');
    if (value !== undefined)
      next.set(field, part === undefined ? value : { ...Object(next.get(field)), [part]: value });
  }
  for (const [field, more] of Object.entries(add)) next.set(field, sumOf(next.get(field), more));
  // It has every field of `empty`, and each of the type that the change is checked for.
  return Object.fromEntries(next) as R;
}

function valueAt(record: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => Object(value)[key], record);
}

function sumOf(value: unknown, more: unknown): unknown {
  return typeof more === 'number' ? Number(value ?? 0) + more : new Set(value instanceof Set ? value : []).add(more);
}
