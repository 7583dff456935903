import type { Logins } from '../../functions/core/slot/logins.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import type { Slot } from '../../functions/core/slot/slot.ts';
import type { Store } from '../../functions/core/slot/store.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import type { ChangeName, MemoryTable } from './memory-table.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** A fault of one call of the store. */
export type StoreFault = 'down' | 'reply_lost' | 'sent_twice';

/** Probabilities of the store's faults, and the greatest lag of an eventually consistent read. */
export interface StoreWeather {
  down: number;
  /** Writes alone are refused: throttled. */
  writesDown: number;
  replyLost: number;
  sentTwice: number;
  staleMs: number;
  /** An item past its end is deleted when somebody comes for it. */
  expires: number;
  /** If set, the result of every eventually consistent read: nothing, or an old record. */
  stale?: { readonly record: SlotRecord | undefined };
}

/** The name of an operation of the store: a read, or a change. */
export type StoreOperation = ChangeName | 'changeLogins' | Exclude<keyof Store, `write${string}`>;

/** One call on its way to the store. */
export interface StoreCall {
  readonly operation: string;
  /** True for a read that must find the last write. */
  readonly isConsistent?: boolean;
}

/** One reading of the item of the logins. */
export interface LoginsRead {
  readonly at: number;
  readonly logins: Logins | undefined;
}

/** The store as one process sees it. */
export interface MemoryStore extends Store {
  /** The item of a connection's logins as this process last read it, and when, in true time. */
  loginsRead(connection: string): LoginsRead;
}

const READS: ReadonlySet<string> = new Set<StoreOperation>(['read', 'list', 'due', 'logins', 'kept']);

/** Creates the view that one process has of the table: over a network, with what can go wrong on the way. */
export function createMemoryStore({
  table,
  process,
  random,
  expiry,
  weather,
  now,
  onActor,
  onCall,
}: {
  readonly table: MemoryTable;
  readonly process: SimulatedProcess;
  readonly random: SeededRandom;
  /** Decides when items are deleted that may be. */
  readonly expiry: SeededRandom;
  readonly weather: StoreWeather;
  readonly now: () => number;
  /** Hears who is about to change the table. */
  readonly onActor: (name: string) => void;
  /** Hears of each call before it takes effect, and may have it go wrong. */
  readonly onCall?: ((call: StoreCall) => Promise<StoreFault | undefined>) | undefined;
}): MemoryStore {
  const loginsRead = new Map<string, LoginsRead>();

  function faultOf(operation: string): StoreFault | undefined {
    if (random.chance(weather.down)) return 'down';
    if (READS.has(operation)) return undefined;
    if (random.chance(weather.writesDown)) return 'down';
    if (random.chance(weather.replyLost)) return 'reply_lost';
    return random.chance(weather.sentTwice) ? 'sent_twice' : undefined;
  }

  async function call<Answer>(
    operation: string,
    apply: () => Answer,
    { slot, ...about }: Pick<StoreCall, 'isConsistent'> & { readonly slot?: Slot } = {},
  ): Promise<Answer> {
    await process.network();
    const planned = onCall && (await onCall({ operation, ...about }));
    const fault = planned ?? faultOf(operation);
    if (fault === 'down') throw unavailable(operation);
    if (slot !== undefined && expiry.chance(weather.expires)) table.expire(slot);
    onActor(process.name);
    let answer = apply();
    if (fault === 'sent_twice') {
      await process.network();
      onActor(process.name);
      answer = apply();
    }
    await process.network();
    if (fault === 'reply_lost') throw unavailable(operation);
    return answer;
  }

  return {
    loginsRead: (connection) => loginsRead.get(connection) ?? { at: 0, logins: undefined },
    read: (slot, { consistent }) =>
      call(
        'read',
        () => {
          if (consistent) return table.get(slot);
          if (weather.stale !== undefined) return weather.stale.record;
          if (weather.staleMs === 0) return table.get(slot);
          return table.getStale(slot, weather.staleMs, (count) => random.integer(0, count - 1));
        },
        { slot, isConsistent: consistent },
      ),
    write: (slot, change) => call(change.name, () => table.write(slot, change), { slot }),
    writeAndRead: (slot, change) =>
      call(change.name, () => (table.write(slot, change) ? table.get(slot) : undefined), { slot }),
    list: (query) => call('list', () => table.list(query)),
    due: (query) => call('due', () => table.due(query)),
    logins: (connection) =>
      call('logins', () => {
        const logins = table.logins(connection);
        loginsRead.set(connection, { at: now(), logins });
        return logins;
      }),
    writeLogins: (connection, change) => call(change.name, () => table.writeLogins(connection, change)),
    kept: (connection) => call('kept', () => table.kept(connection)),
    writeKept: (connection, change) => call(change.name, () => table.writeKept(connection, change)),
    writePermit: (connection, number, change) => call(change.name, () => table.writePermit(connection, number, change)),
  };
}

function unavailable(operation: string): BrokerError {
  return new BrokerError('store_unavailable', `The simulated store is not to be had (${operation}).`);
}
