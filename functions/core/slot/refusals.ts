import type { Change } from './change.ts';
import { type Slot, slotName } from './slot.ts';

/** The slots of a connection refused under one secret version with no success between; an item a connection. */
export interface Refusals {
  readonly secretVersion: string;
  /** The slots, by their names within the connection. */
  readonly slots: ReadonlySet<string>;
  /** When the store may delete the item; epoch seconds. */
  readonly ttlSeconds: number;
}

/** A slot whose credential the upstream refused. */
export interface Refusal {
  readonly slot: Slot;
  readonly secretVersion: string;
  readonly ttlSeconds: number;
}

/** A write to the item of a connection's refusals. */
export type RefusalsChange = Change<Refusals>;

export const NO_REFUSALS: Refusals = { secretVersion: '', slots: new Set(), ttlSeconds: 0 };

const name = 'recordRefusal';

/** Adds a slot to those refused, if what is counted is the same secret version. */
export const countRefusal = ({ slot, secretVersion, ttlSeconds }: Refusal): RefusalsChange => ({
  name,
  onlyIf: [{ field: 'secretVersion', is: secretVersion }],
  set: { ttlSeconds },
  add: { slots: slotName(slot) },
});

/** Starts the count for a secret version, if what is counted is another one or nothing. */
export const startRefusals = ({ slot, secretVersion, ttlSeconds }: Refusal): RefusalsChange => ({
  name,
  onlyIf: [{ field: 'secretVersion', isNot: secretVersion }],
  set: { secretVersion, slots: new Set([slotName(slot)]), ttlSeconds },
});
