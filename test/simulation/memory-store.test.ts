import { beforeEach, describe } from 'vitest';
import {
  dueAttributes,
  type Item,
  keyOf,
  number,
  recordIn,
  refusalsIn,
  refusalsKeyOf,
  slotIn,
  text,
  tokenAttributes,
} from '../../functions/adapters/dynamodb/item.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import type { Slot } from '../../functions/core/slot/slot.ts';
import type { Store } from '../../functions/core/slot/store.ts';
import { describeLeases } from '../functions/adapters/dynamodb/store-contract-leases.ts';
import { describeNotes } from '../functions/adapters/dynamodb/store-contract-notes.ts';
import { describeOutcomes } from '../functions/adapters/dynamodb/store-contract-outcomes.ts';
import { describeProxyWrites } from '../functions/adapters/dynamodb/store-contract-proxy.ts';
import { describeReads } from '../functions/adapters/dynamodb/store-contract-reads.ts';
import { describeRefusals } from '../functions/adapters/dynamodb/store-contract-refusals.ts';
import type { StoreUnderTest } from '../functions/adapters/dynamodb/store-under-test.ts';
import { createMemoryTable, type MemoryTable } from './memory-table.ts';

/** The table's methods as the port has them, without a network. */
function storeOver(table: MemoryTable): Store {
  return {
    read: async (slot) => table.get(slot),
    write: async (slot, change) => table.write(slot, change),
    writeAndRead: async (slot, change) => (table.write(slot, change) ? table.get(slot) : undefined),
    list: async (query) => table.list(query),
    due: async (query) => table.due(query),
    refusals: async (connection) => table.refusals(connection),
    recordRefusal: async (refusal) => table.recordRefusal(refusal),
    clearRefusals: async (connection) => table.clearRefusals(connection),
  };
}

/** A record as DynamoDB would hold it: what reads as 0 or nothing is absent. */
function itemOf(slot: Slot, record: SlotRecord): Item {
  const { token, lease, failure, refusedVersion, dueAt, renewalBarredUntil } = record;
  const numbers: Readonly<Record<string, number>> = {
    fence: record.fence,
    notBefore: record.notBefore,
    tries: record.tries,
    rejectedGen: record.rejectedGeneration,
    lastHandedOutAt: record.lastHandedOutAt,
    refreshAskedAt: record.refreshAskedAt,
    ttl: record.ttlSeconds,
  };
  const present = Object.entries(numbers).filter(([, value]) => value !== 0);
  return {
    ...keyOf(slot),
    gen: number(record.generation),
    ...Object.fromEntries(present.map(([name, value]) => [name, number(value)])),
    ...(token && tokenAttributes(token)),
    ...(lease && { leaseId: text(lease.id), leaseUntil: number(lease.until) }),
    ...(lease?.begunBy !== undefined && { begunBy: text(lease.begunBy) }),
    ...(failure && { failCode: text(failure.code), failedAt: number(failure.at) }),
    ...(refusedVersion !== undefined && { badSv: text(refusedVersion) }),
    ...(dueAt !== undefined && dueAttributes(slot, dueAt)),
    ...(renewalBarredUntil !== undefined && { renewalBarredUntil: number(renewalBarredUntil) }),
  };
}

function storeUnderTest(): StoreUnderTest {
  const table = createMemoryTable({ now: () => 0 });
  return {
    store: storeOver(table),
    async item(slot) {
      const record = table.get(slot);
      return record && itemOf(slot, record);
    },
    async refusalsItem(connection) {
      const counted = table.countedRefusals(connection);
      if (counted === undefined) return undefined;
      const { secretVersion, slots, ttlSeconds } = counted;
      return {
        ...refusalsKeyOf(connection),
        sv: text(secretVersion),
        slots: { SS: [...slots] },
        ttl: number(ttlSeconds),
      };
    },
    async put(item) {
      const slot = slotIn(item);
      if (slot !== undefined) table.set('spoil', slot, recordIn(item));
      // What the table holds of refusals always reads; an item that does not is the same as none.
      else if (refusalsIn(item) === undefined) table.clearRefusals(item['pk']?.S ?? '');
    },
  };
}

describe('the store in memory keeps the contract of the store', () => {
  let current = storeUnderTest();
  beforeEach(() => {
    current = storeUnderTest();
  });
  describeLeases(() => current);
  describeOutcomes(() => current);
  describeNotes(() => current);
  describeReads(() => current);
  describeRefusals(() => current);
  describeProxyWrites(() => current);
});
