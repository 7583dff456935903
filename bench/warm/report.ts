import { type Rounds, ratioOf, spreadOf } from '../rounds.ts';
import { atLeast, atMost, figure, type Section, spreadText } from '../section.ts';

/** Least rate of a hand-out from memory, without its lines, over that of a handler that does nothing. */
const LEAST_RATE = 0.9;
/** Most CPU of a hand-out from the store, over that of a read alone. */
const MOST_OVER_GET_ITEM = 1.05;

/** The cases measured warm, by name. */
export const CASES = {
  bare: 'bare handler',
  bareTwin: 'bare handler, again',
  middy: 'bare middy',
  memorySilent: 'token, memory hit, without its lines',
  memory: 'token, memory hit',
  usual: 'middy, Powertools and zod',
  getItem: 'bare SDK GetItem',
  getItemTwin: 'bare SDK GetItem, again',
  store: 'token, store hit',
  open: 'decrypting a token of 1 KB',
} as const;

const BASES: Readonly<Record<string, string>> = {
  [CASES.getItem]: CASES.getItem,
  [CASES.getItemTwin]: CASES.getItem,
  [CASES.store]: CASES.getItem,
};

/** Says what the rounds of the warm part came to. */
export function reportWarm(rounds: Rounds): Section {
  const cpu = (name: string, base: string) => ratioOf(rounds, name, base, 'cpu');
  const quietRate = 1 / cpu(CASES.memorySilent, CASES.bare).median;
  const twins = [cpu(CASES.bareTwin, CASES.bare), cpu(CASES.getItemTwin, CASES.getItem)].map(({ median }) => median);
  return {
    title: 'Warm',
    notes: [
      'In this process, one call after the other; microseconds a call. All handlers give the same answer to the same event, with a token of 1 KB. Lines of logs and metrics are made and handed to a stream that drops them, the same for all.',
      'A store hit is a hand-out with `memorySeconds` 0 and a warm data key, over TLS on loopback, audit line and metrics included; the bare GetItem reads the same item with a client as it comes, from the same endpoint.',
    ],
    tables: [
      {
        columns: ['', 'CPU µs', 'ratio', 'wall µs', 'calls a second', 'p50 µs', 'p99 µs'],
        rows: Object.values(CASES).map((name) => [
          name,
          spreadText(spreadOf(rounds, name, 'cpu')),
          figure(cpu(name, BASES[name] ?? CASES.bare).median),
          spreadText(spreadOf(rounds, name, 'wall')),
          figure(1e6 / spreadOf(rounds, name, 'wall').median),
          figure(spreadOf(rounds, name, 'p50').median),
          figure(spreadOf(rounds, name, 'p99').median),
        ]),
      },
    ],
    targets: [
      atLeast('Memory hit before logging: its rate over a bare handler, by CPU', LEAST_RATE, quietRate),
      atMost(
        'Memory hit with audit line and metrics: CPU over middy, Powertools and zod',
        0.33,
        cpu(CASES.memory, CASES.usual).median,
      ),
      atMost('Store hit: CPU over a bare SDK GetItem', MOST_OVER_GET_ITEM, cpu(CASES.store, CASES.getItem).median),
      atMost(
        'Decrypting a token of 1 KB with a warm data key, CPU',
        10,
        spreadOf(rounds, CASES.open, 'cpu').median,
        ' µs',
      ),
    ],
    plot: {
      title: 'Warm: CPU a call, over what stands beside it',
      bars: [
        bar('memory hit / bare handler', cpu(CASES.memorySilent, CASES.bare), 1 / LEAST_RATE),
        bar('bare middy / bare handler', cpu(CASES.middy, CASES.bare)),
        bar('memory hit with lines / usual stack', cpu(CASES.memory, CASES.usual), 0.33),
        bar('store hit / bare GetItem', cpu(CASES.store, CASES.getItem), MOST_OVER_GET_ITEM),
      ],
    },
    twin: twins.toSorted((a, b) => Math.abs(1 - b) - Math.abs(1 - a))[0] ?? Number.NaN,
  };
}

function bar(name: string, { median, low, high }: ReturnType<typeof spreadOf>, limit?: number) {
  return { name, value: median, low, high, ...(limit === undefined ? {} : { limit }) };
}
