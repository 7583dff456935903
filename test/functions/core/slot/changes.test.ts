import { beforeEach, describe, expect, it } from 'vitest';
import { loginsLayout } from '../../../../functions/adapters/dynamodb/connection-items.ts';
import {
  attributesIn,
  type Item,
  type Layout,
  recordIn,
  slotIn,
  slotLayout,
} from '../../../../functions/adapters/dynamodb/item.ts';
import type { SlotChange } from '../../../../functions/core/slot/changes.ts';
import type { Store } from '../../../../functions/core/slot/store.ts';
import { createMemoryTable, type MemoryTable } from '../../../simulation/memory-table.ts';
import { describeKept } from '../../adapters/dynamodb/store-contract-kept.ts';
import { describeLeases } from '../../adapters/dynamodb/store-contract-leases.ts';
import { describeLogins } from '../../adapters/dynamodb/store-contract-logins.ts';
import { describeNotes } from '../../adapters/dynamodb/store-contract-notes.ts';
import { describeOutcomes } from '../../adapters/dynamodb/store-contract-outcomes.ts';
import { describePermits } from '../../adapters/dynamodb/store-contract-permits.ts';
import { describeProxyWrites } from '../../adapters/dynamodb/store-contract-proxy.ts';
import { describeReads } from '../../adapters/dynamodb/store-contract-reads.ts';
import type { StoreUnderTest } from '../../adapters/dynamodb/store-under-test.ts';
import { everyChange } from './every-change.ts';

/** The table's methods as the port has them, without a network. */
function storeOver(table: MemoryTable): Store {
  return {
    read: async (slot) => table.get(slot),
    write: async (slot, change) => table.write(slot, change),
    writeAndRead: async (slot, change) => (table.write(slot, change) ? table.get(slot) : undefined),
    list: async (query) => table.list(query),
    due: async (query) => table.due(query),
    logins: async (connection) => table.logins(connection),
    writeLogins: async (connection, change) => table.writeLogins(connection, change),
    kept: async (connection) => table.kept(connection),
    writeKept: async (connection, change) => table.writeKept(connection, change),
    writePermit: async (connection, number, change) => table.writePermit(connection, number, change),
  };
}

/** A record as DynamoDB would hold it: what reads as 0 or nothing is absent. */
function itemOf<R>(layout: Layout<R>, record: R): Item {
  const present = Object.entries(Object(record)).filter(([field, value]) => value !== 0 || field === 'generation');
  return { ...layout.key, ...attributesIn(layout, Object.fromEntries(present)) };
}

/** DynamoDB has no empty sets. */
function orNothing(set: ReadonlySet<string>): ReadonlySet<string> | undefined {
  return set.size > 0 ? set : undefined;
}

function storeUnderTest(): StoreUnderTest {
  const table = createMemoryTable({ now: () => 0 });
  return {
    store: storeOver(table),
    async item(slot) {
      const record = table.get(slot);
      return record && itemOf(slotLayout(slot), record);
    },
    async loginsItem(connection) {
      const logins = table.logins(connection);
      return (
        logins &&
        itemOf(loginsLayout(connection), {
          ...logins,
          failed: orNothing(logins.failed),
          issued: orNothing(logins.issued),
        })
      );
    },
    async put(item) {
      const slot = slotIn(item);
      if (slot !== undefined) table.set('spoil', slot, recordIn(item));
    },
  };
}

describe('changes, as the store in memory makes them', () => {
  let current = storeUnderTest();
  beforeEach(() => {
    current = storeUnderTest();
  });
  describeLeases(() => current);
  describeOutcomes(() => current);
  describeNotes(() => current);
  describeReads(() => current);
  describeLogins(() => current);
  describeKept(() => current);
  describePermits(() => current);
  describeProxyWrites(() => current);
});

describe('every change', () => {
  const shapes = Object.entries(everyChange).flatMap(([name, all]) =>
    all.map((change: SlotChange) => ({ name, change })),
  );

  it.each(shapes)('bears its own name and writes no field twice: $name', ({ name, change }) => {
    const { onlyIf, set = {}, setIfAbsent = {}, add = {}, clear = [] } = change;
    const given = Object.entries({ ...set, ...setIfAbsent }).filter(([, value]) => value !== undefined);
    const written = [...given.map(([path]) => path), ...Object.keys(add), ...clear];

    expect(change.name).toBe(name);
    // DynamoDB refuses an expression that has a path twice.
    expect(written.toSorted()).toEqual([...new Set(written)].toSorted());
    for (const condition of onlyIf) {
      if ('item' in condition) expect(['present', 'absent']).toContain(condition.item);
    }
  });
});
