import type { SlotChange } from './changes.ts';
import type { SlotRecord } from './record.ts';
import type { Refusals, RefusalsChange } from './refusals.ts';
import type { Slot } from './slot.ts';

/**
 * Slots and refusals, one item each, changed by single-item conditional writes only. A write answers whether its
 * conditions held; a consistent read tells what happened otherwise. Since a write whose reply was lost may be sent
 * again, `false` can follow a success of one's own.
 * Every method throws `store_unavailable` when the store cannot be reached or throttles.
 */
export interface Store {
  read(slot: Slot, options: { readonly consistent: boolean }): Promise<SlotRecord | undefined>;
  write(slot: Slot, change: SlotChange): Promise<boolean>;
  /** The record after the change, or undefined where a condition failed. */
  writeAndRead(slot: Slot, change: SlotChange): Promise<SlotRecord | undefined>;
  /** The slots of a connection, by subject; every fingerprint. `next` continues the listing. */
  list(query: {
    readonly connection: string;
    readonly limit: number;
    readonly after?: string | undefined;
  }): Promise<SlotPage>;
  /** Up to `limit` slots of every connection whose `dueAt` has come, longest overdue first. */
  due(query: { readonly now: number; readonly limit: number }): Promise<readonly DueSlot[]>;
  refusals(connection: string): Promise<Refusals | undefined>;
  writeRefusals(connection: string, change: RefusalsChange): Promise<boolean>;
  clearRefusals(connection: string): Promise<void>;
}

export interface SlotPage {
  readonly slots: readonly { readonly slot: Slot; readonly record: SlotRecord }[];
  readonly next?: string | undefined;
}

export interface DueSlot {
  readonly slot: Slot;
  readonly dueAt: number;
}
