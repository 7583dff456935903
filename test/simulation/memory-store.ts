import type { Change, ChangeName } from '../../functions/core/slot/changes.ts';
import type { Store } from '../../functions/core/slot/store.ts';
import { BrokerError } from '../../functions/core/words/errors.ts';
import type { MemoryTable } from './memory-table.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** What can go wrong with one call of the store. */
export type StoreFault = 'down' | 'reply_lost' | 'sent_twice';

/** How often what goes wrong with the store; probabilities, and the greatest lag of an eventually consistent read. */
export interface StoreWeather {
  down: number;
  /** Writes alone are refused: throttled. */
  writesDown: number;
  replyLost: number;
  sentTwice: number;
  staleMs: number;
}

/** The store as one process sees it, with a way to make its next call fail. */
export interface MemoryStore extends Store {
  /** Makes the next call of `operation` go wrong. */
  failNext(operation: Operation, fault: StoreFault): void;
  /** When this process last read the count of refusals; true time. */
  refusalsReadAt(): number;
}

type Operation = ChangeName | Exclude<keyof Store, 'write' | 'writeAndRead'>;

const READS: ReadonlySet<Operation> = new Set<Operation>(['read', 'list', 'due', 'refusals']);

/** Has `act` do what a store is asked to write by changes of this name; `write` goes on with it. */
export function intercept(
  store: Store,
  name: ChangeName,
  act: (write: () => Promise<boolean>, change: Change) => Promise<boolean>,
): void {
  const write = store.write.bind(store);
  store.write = (slot, change) => (change.name === name ? act(() => write(slot, change), change) : write(slot, change));
}

/** Creates the view that one process has of the table: over a network, with what can go wrong on the way. */
export function createMemoryStore({
  table,
  process,
  random,
  weather,
  now,
  onActor,
}: {
  readonly table: MemoryTable;
  readonly process: SimulatedProcess;
  readonly random: SeededRandom;
  readonly weather: StoreWeather;
  readonly now: () => number;
  /** Hears who is about to change the table. */
  readonly onActor: (name: string) => void;
}): MemoryStore {
  const planned: { readonly operation: Operation; readonly fault: StoreFault }[] = [];
  let refusalsReadAt = 0;

  function faultOf(operation: Operation): StoreFault | undefined {
    const index = planned.findIndex((each) => each.operation === operation);
    if (index >= 0) return planned.splice(index, 1)[0]?.fault;
    if (random.chance(weather.down)) return 'down';
    if (READS.has(operation)) return undefined;
    if (random.chance(weather.writesDown)) return 'down';
    if (random.chance(weather.replyLost)) return 'reply_lost';
    return random.chance(weather.sentTwice) ? 'sent_twice' : undefined;
  }

  async function call<Answer>(operation: Operation, apply: () => Answer): Promise<Answer> {
    await process.network();
    const fault = faultOf(operation);
    if (fault === 'down') throw unavailable(operation);
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
    failNext: (operation, fault) => planned.push({ operation, fault }),
    refusalsReadAt: () => refusalsReadAt,
    read: (slot, { consistent }) =>
      call('read', () =>
        consistent || weather.staleMs === 0
          ? table.get(slot)
          : table.getStale(slot, weather.staleMs, (count) => random.integer(0, count - 1)),
      ),
    write: (slot, change) => call(change.name, () => table.write(slot, change)),
    writeAndRead: (slot, change) => call(change.name, () => (table.write(slot, change) ? table.get(slot) : undefined)),
    list: (query) => call('list', () => table.list(query)),
    due: (query) => call('due', () => table.due(query)),
    refusals: (connection) =>
      call('refusals', () => {
        refusalsReadAt = now();
        return table.refusals(connection);
      }),
    recordRefusal: (refusal) => call('recordRefusal', () => table.recordRefusal(refusal)),
    clearRefusals: (connection) => call('clearRefusals', () => table.clearRefusals(connection)),
  };
}

function unavailable(operation: string): BrokerError {
  return new BrokerError('store_unavailable', `The simulated store is not to be had (${operation}).`);
}
