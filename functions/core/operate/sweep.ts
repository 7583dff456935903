import type { Connection } from '../slot/connection.ts';
import type { MintReply } from '../slot/mint-message.ts';
import type { MintInvoker } from '../slot/minter.ts';
import { isLapsing } from '../slot/next-way.ts';
import { SYSTEM, slotOf } from '../slot/slot.ts';
import type { DueSlot, Store } from '../slot/store.ts';
import type { Clock, Telemetry } from '../words/platform.ts';

const SLOTS_A_SWEEP = 500;
const AT_ONCE_A_CONNECTION = 10;
const BEGIN_WITHIN_MS = 30_000;
const MINT_TIMEOUT_MS = 22_000;
/** Most index entries that one sweep reads to find slots of every configured connection. */
const ENTRIES_READ = 8_000;
/** Time between two looks at slots that may be on no schedule, and whose refresh token lapses unused. */
const LAPSING_LOOK_MS = 3_600_000;

export interface SweepResult {
  readonly due: number;
  readonly begun: number;
  /** Lower bound of the slots left for the next sweep: reading stops once it is clear which slots to begin. */
  readonly backlog: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

/**
 * Creates the sweep that the schedule runs. It has every slot minted whose refresh is due, 10 at once a connection,
 * until the time to begin is over; the rest waits for the next sweep. If more than 500 are due, the connections take
 * turns, so that slots which stay due hold up only their own connection. Slots that are not due cost nothing. Once an
 * hour it also looks at the slots of refresh tokens that lapse.
 */
export function createSweep({
  store,
  minter,
  telemetry,
  clock,
  connections,
}: {
  readonly store: Pick<Store, 'due'>;
  readonly minter: MintInvoker;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly connections: Readonly<Record<string, Connection>>;
}): () => Promise<SweepResult> {
  /** Slots of a sweep that every connection is sure of, however many the others have due. */
  const share = Math.ceil(SLOTS_A_SWEEP / Object.keys(connections).length);

  const lapsing = Object.values(connections).filter((each) => each.subjects.system && isLapsing(each));
  let lookedAt = Number.NEGATIVE_INFINITY;

  /** Finds the slots of refresh tokens that lapse, once an hour: nobody may ever have asked for them. */
  function findLapsing(due: readonly DueSlot[]): readonly DueSlot[] {
    const now = clock.now();
    if (now - lookedAt < LAPSING_LOOK_MS) return [];
    lookedAt = now;
    const others = lapsing.filter(({ name }) => !due.some(({ slot }) => slot.connection === name));
    return others.map((connection) => ({ slot: slotOf(connection, SYSTEM), dueAt: now }));
  }

  /** Reports whether reading on could not change which slots a sweep over `due` begins. */
  function decidesAll(due: readonly DueSlot[]): boolean {
    if (due.length <= SLOTS_A_SWEEP) return false;
    const found = Map.groupBy(due, ({ slot }) => slot.connection);
    return Object.keys(connections).every((name) => (found.get(name)?.length ?? 0) >= share);
  }

  /** Reads the due slots, and skips those of removed connections, which stay due until their items end. */
  async function readDueSlots(): Promise<readonly DueSlot[]> {
    for (let limit = SLOTS_A_SWEEP + 1; ; limit *= 2) {
      const found = await store.due({ now: clock.now(), limit });
      const configured = found.filter(({ slot }) => Object.hasOwn(connections, slot.connection));
      if (decidesAll(configured) || found.length < limit || limit >= ENTRIES_READ) return configured;
    }
  }

  return async function sweep() {
    const began = clock.monotonic();
    const found = await readDueSlots();
    const due = [...found, ...findLapsing(found)];
    const outcomes: Record<string, number> = {};
    let begun = 0;

    const mintOne = async (connection: Connection, { slot }: DueSlot): Promise<void> => {
      begun += 1;
      const invocation = await minter.invoke(connection, { ...slot, trigger: 'schedule' }, MINT_TIMEOUT_MS);
      const outcome: MintReply['outcome'] | typeof invocation.kind =
        invocation.kind === 'reply' ? invocation.reply.outcome : invocation.kind;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    };
    const work = async (connection: Connection, queue: DueSlot[]): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (clock.monotonic() - began >= BEGIN_WITHIN_MS) return;
        await mintOne(connection, next);
      }
    };

    const queues = Map.groupBy(takeTurns(due).slice(0, SLOTS_A_SWEEP), ({ slot }) => slot.connection);
    await Promise.all(
      [...queues].flatMap(([name, queue]) => {
        const connection = connections[name];
        if (connection === undefined) return [];
        return Array.from({ length: AT_ONCE_A_CONNECTION }, () => work(connection, queue));
      }),
    );

    const result: SweepResult = { due: due.length, begun, backlog: due.length - begun, outcomes };
    for (const [outcome, count] of Object.entries(outcomes)) {
      telemetry.metrics({ outcome }, { SlotsSwept: { unit: 'Count', value: count } });
    }
    // A metric is paid for by the hour in which it has data: with nothing due there is none.
    if (due.length > 0) {
      telemetry.metrics({}, { RefreshBacklog: { unit: 'Count', value: result.backlog } });
      telemetry.info('A sweep ended.', { due: result.due, begun, backlog: result.backlog, ...outcomes });
    }
    return result;
  };
}

/** Orders the slots so that each connection has one in turn, the longest overdue first. */
function takeTurns(due: readonly DueSlot[]): readonly DueSlot[] {
  const queues = [...Map.groupBy(due, ({ slot }) => slot.connection).values()];
  const rounds = Math.max(0, ...queues.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) => queues.flatMap((queue) => queue[round] ?? [])).flat();
}
