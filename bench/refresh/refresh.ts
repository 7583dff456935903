import { attributesIn, type Item, slotLayout } from '../../functions/adapters/dynamodb/item.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';
import { BROKER } from '../../local/functions.ts';
import { createLambdaContext } from '../../local/lambda/lambda-context.ts';
import { slotItem } from '../loopback/sealed-slot.ts';
import { spread } from '../rounds.ts';
import { type BenchOptions, figure, type Section } from '../section.ts';
import { type BrokerSystem, startBrokerSystem } from '../system/broker-system.ts';

const DAY_MS = 86_400_000;
const SIZE = {
  quick: { stored: [0, 100], due: [0, 5], idleSweeps: 3 },
  full: { stored: [0, 10_000, 100_000], due: [0, 10, 100, 500], idleSweeps: 21 },
};
/** A sweep with nothing due may cost this much more at the most slots than at the fewest: what measuring is good for. */
const GROWTH = 1.5;

interface SweepCost {
  readonly stored: number;
  readonly due: number;
  readonly begun: number;
  readonly queries: number;
  readonly requests: number;
  readonly ms: number;
}

/** Measures sweeps of the schedule: by slots stored, and by slots due. */
export async function benchRefresh({ quick, folder }: BenchOptions): Promise<Section> {
  const { stored, due, idleSweeps } = quick ? SIZE.quick : SIZE.full;
  const system = await startBrokerSystem(folder, 0);
  try {
    const costs: SweepCost[] = [];
    let filled = 0;
    for (const count of stored) {
      await system.put(idleItems(system.connection, filled, count));
      filled = count;
      for (const wanted of due.filter((each) => each <= count)) {
        costs.push(await sweepCost(system, count, wanted, wanted === 0 ? idleSweeps : 1));
      }
    }
    return report(costs);
  } finally {
    await system.close();
  }
}

/** Slots that are not due for a day, with as little in each as makes them slots. */
function idleItems(connection: Connection, from: number, to: number): readonly Item[] {
  const dueAt = Date.now() + DAY_MS;
  return Array.from({ length: to - from }, (_, index) => {
    const layout = slotLayout(slotOf(connection, `${10_000 + from + index}`));
    return { ...layout.key, ...attributesIn(layout, { generation: 1, lastHandedOutAt: Date.now(), dueAt }) };
  });
}

async function sweepCost(system: BrokerSystem, stored: number, due: number, sweeps: number): Promise<SweepCost> {
  const key = await system.keys.generate(system.connection.name);
  const now = Date.now();
  const times = { issuedAt: now - DAY_MS / 2, refreshAt: now - 1_000, expiresAt: now + DAY_MS / 4 };
  await system.put(
    Array.from({ length: due }, (_, index) => slotItem(BROKER, slotOf(system.connection, `${index + 1}`), key, times)),
  );
  const took: number[] = [];
  let result = { begun: 0 };
  let counts: Readonly<Record<string, number>> = {};
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    system.counts();
    const began = performance.now();
    result = await runSweep(system);
    took.push(performance.now() - began);
    counts = system.counts();
  }
  return {
    stored,
    due,
    begun: result.begun,
    queries: counts['dynamodb.Query'] ?? 0,
    requests: Object.values(counts).reduce((sum, count) => sum + count, 0),
    ms: spread(took).median,
  };
}

async function runSweep({ functions: { refresh } }: BrokerSystem): Promise<{ begun: number }> {
  const { timeoutMs } = refresh;
  const context = createLambdaContext({ functionName: 'refresh', requestId: 'bench', timeoutMs, now: Date.now });
  // The table of functions has forgotten what each takes and gives; the refresh function gives a `SweepResult`.
  return (await refresh.handler({} as never, context)) as { begun: number };
}

function report(costs: readonly SweepCost[]): Section {
  const idle = costs.filter(({ due }) => due === 0);
  const queries = idle.map((each) => each.queries);
  const growth = (idle.at(-1)?.ms ?? Number.NaN) / (idle[0]?.ms ?? Number.NaN);
  const isConstant = new Set(queries).size === 1;
  return {
    title: 'Refresh',
    notes: [
      'Real sweeps over the embedded DynamoDB, with real mints at an upstream that answers at once, all in one process. A sweep begins at most 500 slots, 10 at a time for a connection; what is left is the next minute’s.',
      'What AWS bills is the requests: four queries of the index for a sweep with nothing due, whatever is stored.',
    ],
    tables: [
      {
        columns: ['slots stored', 'due', 'refreshed', 'ms', 'slots a second', 'queries', 'AWS requests', 'a slot due'],
        rows: costs.map(({ stored, due, begun, ms, queries: asked, requests }) => [
          figure(stored),
          figure(due),
          figure(begun),
          figure(ms),
          due === 0 ? '–' : figure((begun * 1_000) / ms),
          figure(asked),
          figure(requests),
          due === 0 ? '–' : figure(requests / due),
        ]),
      },
    ],
    targets: [
      {
        what: 'Queries of a sweep with nothing due, from the fewest to the most slots stored',
        target: 'the same',
        measured: queries.map(figure).join(', '),
        met: isConstant,
      },
      {
        what: 'Time of such a sweep, the most slots over the fewest',
        target: `≤ ${GROWTH}`,
        measured: figure(growth),
        met: growth <= GROWTH,
      },
    ],
  };
}
