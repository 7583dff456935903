import type { Change } from './change.ts';
import { type Slot, slotName } from './slot.ts';

/** Slots of a connection refused under one secret version since its last success. One item for each connection. */
export interface Refusals {
  readonly secretVersion: string;
  /** The slots, by their names within the connection. */
  readonly slots: ReadonlySet<string>;
  /** Time from which the store may delete the item; epoch seconds. */
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

/** Adds a slot to those refused, if the count is for the same secret version. */
export const countRefusal = ({ slot, secretVersion, ttlSeconds }: Refusal): RefusalsChange => ({
  name,
  onlyIf: [{ field: 'secretVersion', is: secretVersion }],
  set: { ttlSeconds },
  add: { slots: slotName(slot) },
});

/** Starts the count for a secret version, if there is no count or it is for another version. */
export const startRefusals = ({ slot, secretVersion, ttlSeconds }: Refusal): RefusalsChange => ({
  name,
  onlyIf: [{ field: 'secretVersion', isNot: secretVersion }],
  set: { secretVersion, slots: new Set([slotName(slot)]), ttlSeconds },
});
