import type { SlotChange } from './changes.ts';
import type { KeptChange, KeptRecord } from './kept.ts';
import type { Logins, LoginsChange } from './logins.ts';
import type { PermitChange } from './permit.ts';
import type { SlotRecord } from './record.ts';
import type { Slot } from './slot.ts';

/**
 * Slots, and the logins, kept values and permits of connections, one item each, changed by single-item conditional
 * writes only. A write returns whether its conditions held; if not, a consistent read tells why. A write whose reply
 * was lost may be sent again, so `false` can also mean that the first one succeeded. Every method throws
 * `store_unavailable` when the store cannot be reached or throttles.
 */
export interface Store {
  read(slot: Slot, options: { readonly consistent: boolean }): Promise<SlotRecord | undefined>;
  write(slot: Slot, change: SlotChange): Promise<boolean>;
  /** Returns the record after the change, or undefined if a condition failed. */
  writeAndRead(slot: Slot, change: SlotChange): Promise<SlotRecord | undefined>;
  /** Lists the slots of a connection, by subject, under every fingerprint. `next` continues the listing. */
  list(query: {
    readonly connection: string;
    readonly limit: number;
    readonly after?: string | undefined;
  }): Promise<SlotPage>;
  /** Lists up to `limit` slots of all connections whose `dueAt` has come, longest overdue first. */
  due(query: { readonly now: number; readonly limit: number }): Promise<readonly DueSlot[]>;
  logins(connection: string): Promise<Logins | undefined>;
  writeLogins(connection: string, change: LoginsChange): Promise<boolean>;
  /** Reads the item of a connection's kept values, consistently. */
  kept(connection: string): Promise<KeptRecord | undefined>;
  writeKept(connection: string, change: KeptChange): Promise<boolean>;
  /** Writes the permit of this number, from 0. */
  writePermit(connection: string, number: number, change: PermitChange): Promise<boolean>;
}

export interface SlotPage {
  readonly slots: readonly { readonly slot: Slot; readonly record: SlotRecord }[];
  readonly next?: string | undefined;
}

export interface DueSlot {
  readonly slot: Slot;
  readonly dueAt: number;
}
