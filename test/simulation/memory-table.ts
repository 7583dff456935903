import { applyChange, holdsFor } from '../../functions/core/slot/change.ts';
import type * as changes from '../../functions/core/slot/changes.ts';
import type { SlotChange } from '../../functions/core/slot/changes.ts';
import { type KeptChange, type KeptRecord, NOTHING_KEPT } from '../../functions/core/slot/kept.ts';
import { type Logins, type LoginsChange, NO_LOGINS } from '../../functions/core/slot/logins.ts';
import { FREE_PERMIT, type Permit, type PermitChange } from '../../functions/core/slot/permit.ts';
import { EMPTY_RECORD, type SlotRecord } from '../../functions/core/slot/record.ts';
import { type Slot, slotId, slotName } from '../../functions/core/slot/slot.ts';
import type { DueSlot, SlotPage, Store } from '../../functions/core/slot/store.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';

/** The writes of a slot, by name. */
export type ChangeName = keyof typeof changes;

/** A write that took effect. */
export interface TableWrite {
  /** The change's name; `ttl` for an item that has expired, `spoil` for what no change does. */
  readonly operation: string;
  readonly slot: Slot;
  readonly before: SlotRecord | undefined;
  readonly after: SlotRecord | undefined;
}

/** The item of a connection's logins before and after a change. */
export interface LoginsWrite {
  readonly connection: string;
  readonly before: Logins | undefined;
  readonly after: Logins;
}

/** A change of the item of a connection's kept values, or a `read` of it. */
export interface KeptAccess {
  readonly connection: string;
  readonly operation: string;
  readonly before: KeptRecord | undefined;
  readonly after: KeptRecord | undefined;
}

/** A change of one of a connection's permits. */
export interface PermitWrite {
  readonly connection: string;
  readonly number: number;
  readonly after: Permit;
}

interface Version {
  readonly at: number;
  readonly record: SlotRecord | undefined;
}

const VERSIONS_KEPT = 6;
const PAGE_PATTERN = /^[^#]+#[^#]+$/;

/** The items of the broker's table, with the conditions of its writes; every method takes effect at once. */
export type MemoryTable = ReturnType<typeof createMemoryTable>;

/** Creates an empty table; `onWrite` and its like hear of every change that took effect, `onKept` of readings too. */
export function createMemoryTable({
  now,
  onWrite = () => {},
  onLogins = () => {},
  onKept = () => {},
  onPermit = () => {},
}: {
  readonly now: () => number;
  readonly onWrite?: (write: TableWrite) => void;
  readonly onLogins?: (change: LoginsWrite) => void;
  readonly onKept?: (access: KeptAccess) => void;
  readonly onPermit?: (write: PermitWrite) => void;
}) {
  const items = new Map<string, { readonly slot: Slot; readonly record: SlotRecord }>();
  const versions = new Map<string, Version[]>();
  const counted = new Map<string, Logins>();
  const keptItems = new Map<string, KeptRecord>();
  const permits = new Map<string, Permit>();

  function get(slot: Slot): SlotRecord | undefined {
    return items.get(slotId(slot))?.record;
  }

  function set(operation: TableWrite['operation'], slot: Slot, after: SlotRecord | undefined): true {
    const id = slotId(slot);
    const before = items.get(id)?.record;
    if (after === undefined) items.delete(id);
    else items.set(id, { slot, record: after });
    const kept = versions.get(id) ?? [{ at: 0, record: undefined }];
    kept.push({ at: now(), record: after });
    versions.set(id, kept.slice(-VERSIONS_KEPT));
    onWrite({ operation, slot, before, after });
    return true;
  }

  return {
    get,
    set,

    /** Makes a change where its conditions hold. */
    write(slot: Slot, change: SlotChange): boolean {
      const record = get(slot);
      return holdsFor(change, record) && set(change.name, slot, applyChange(change, record, EMPTY_RECORD));
    },

    all: () => [...items.values()],

    /** Returns a state that an eventually consistent read may find, at most `staleMs` behind. `pick` chooses it. */
    getStale(slot: Slot, staleMs: number, pick: (count: number) => number): SlotRecord | undefined {
      const kept = versions.get(slotId(slot)) ?? [];
      const since = now() - staleMs;
      // A version may be read for as long as its successor is younger than the lag.
      const possible = kept.filter((_, index) => index === kept.length - 1 || (kept[index + 1]?.at ?? 0) >= since);
      return possible[pick(possible.length)]?.record;
    },

    list({ connection, limit, after }: Parameters<Store['list']>[0]): SlotPage {
      const from = after === undefined ? '' : sortKeyIn(after);
      const slots = [...items.values()]
        .filter(({ slot }) => slot.connection === connection && slotName(slot) > from)
        .sort((one, other) => (slotName(one.slot) < slotName(other.slot) ? -1 : 1));
      const last = slots[limit - 1];
      const page = slots.slice(0, limit);
      return slots.length > limit && last !== undefined ? { slots: page, next: pageAfter(last.slot) } : { slots: page };
    },

    due({ now: at, limit }: Parameters<Store['due']>[0]): readonly DueSlot[] {
      return [...items.values()]
        .flatMap(({ slot, record }) => (record.dueAt === undefined ? [] : [{ slot, dueAt: record.dueAt }]))
        .filter(({ dueAt }) => dueAt <= at)
        .sort((one, other) => one.dueAt - other.dueAt)
        .slice(0, limit);
    },

    logins: (connection: string): Logins | undefined => counted.get(connection),

    writeLogins(connection: string, change: LoginsChange): boolean {
      const before = counted.get(connection);
      if (!holdsFor(change, before)) return false;
      const after = applyChange(change, before, NO_LOGINS);
      counted.set(connection, after);
      onLogins({ connection, before, after });
      return true;
    },

    kept(connection: string): KeptRecord | undefined {
      const found = keptItems.get(connection);
      onKept({ connection, operation: 'read', before: found, after: found });
      return found;
    },

    writeKept(connection: string, change: KeptChange): boolean {
      const before = keptItems.get(connection);
      if (!holdsFor(change, before)) return false;
      const after = applyChange(change, before, NOTHING_KEPT);
      keptItems.set(connection, after);
      onKept({ connection, operation: change.name, before, after });
      return true;
    },

    writePermit(connection: string, number: number, change: PermitChange): boolean {
      const id = `${connection} ${number}`;
      const before = permits.get(id);
      if (!holdsFor(change, before)) return false;
      const after = applyChange(change, before, FREE_PERMIT);
      permits.set(id, after);
      onPermit({ connection, number, after });
      return true;
    },

    /** Deletes an item whose time is over, as the store may at any moment from then on. */
    expire(slot: Slot): boolean {
      const record = get(slot);
      if (record === undefined || record.ttlSeconds * 1000 > now()) return false;
      return set('ttl', slot, undefined);
    },
  };
}

function pageAfter(slot: Slot): string {
  return Buffer.from(slotName(slot)).toString('base64url');
}

function sortKeyIn(page: string): string {
  const sortKey = Buffer.from(page, 'base64url').toString('utf8');
  if (Buffer.from(sortKey).toString('base64url') !== page || !PAGE_PATTERN.test(sortKey)) {
    throw new BrokerError('invalid_request', 'There is no such page of this listing.');
  }
  return sortKey;
}
