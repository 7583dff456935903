import { createExecutions, LOAD, quantile, type Seen } from './executions.ts';

const SEEDS = 5;
const OPENING_MS = 6_500;
const AFTER_MS = 60_000;

/** Prints what callers of a healthy connection notice of one that hangs, as a table. The same on every machine. */
async function main(): Promise<void> {
  const rows: (readonly [string, readonly Seen[]])[] = [
    ['alone', []],
    ['beside it, before the breaker opens', []],
    ['beside it, after', []],
    ['beside it, before, without a limit on waits', []],
  ];
  const add = (row: number, seen: Seen) => {
    const [name, all] = rows[row] ?? ['', []];
    rows[row] = [name, [...all, seen]];
  };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { run } = await createExecutions(LOAD, seed);
    add(0, await run(AFTER_MS, { isCold: false }));
    add(1, await run(OPENING_MS, { isCold: true }));
    add(2, await run(AFTER_MS, { isCold: true }));
    const unlimited = await createExecutions({ ...LOAD, mostWaits: undefined }, seed);
    add(3, await unlimited.run(OPENING_MS, { isCold: true }));
  }
  const p99Of = (all: readonly Seen[]) =>
    quantile(
      all.flatMap(({ healthyMs }) => healthyMs),
      0.99,
    );
  const alone = p99Of(rows[0]?.[1] ?? []);
  console.log(
    '| healthy connection | hand-outs | p99 | of it alone | 5xx | `token` at once | with `mint` | waits | logins |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const [name, all] of rows) {
    const most = (of: (seen: Seen) => number) => Math.max(...all.map(of));
    const sum = (of: (seen: Seen) => number) => all.reduce((total, seen) => total + of(seen), 0);
    const cells = [
      name,
      sum(({ healthyMs }) => healthyMs.length),
      `${p99Of(all)} ms`,
      (p99Of(all) / alone).toFixed(2),
      sum(({ healthyFailed }) => healthyFailed),
      most(({ mostOfToken }) => mostOfToken),
      most(({ mostInAll }) => mostInAll),
      most(({ mostWaits }) => mostWaits),
      (sum(({ logins }) => logins) / all.length).toFixed(1),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

await main();
