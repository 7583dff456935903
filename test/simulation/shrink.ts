import fc from 'fast-check';
import { recordDraws, replayDraws } from './draws.ts';
import { type Kept, type SimulationOptions, type SimulationReport, simulate } from './simulate.ts';

/** A failing seed with less of what it did, that still breaks the same invariant. */
export interface Shrunk {
  readonly report: SimulationReport;
  readonly kept: Required<Kept>;
  /** The happenings that led there, in short lines, and the command that repeats the whole run. */
  readonly history: readonly string[];
}

/** Limit on the smaller runs. */
const RUNS = 600;

/**
 * Looks for the fewest actions and kinds of faults of a failing seed that still break the same invariant. Every action
 * that is left draws what it drew in the whole run. Undefined where the seed breaks none.
 */
export async function shrink(seed: number, options: SimulationOptions = {}): Promise<Shrunk | undefined> {
  const { draws, tape } = recordDraws();
  const whole = await simulate(seed, { ...options, draws });
  const [broken] = whole.violations;
  if (broken === undefined) return undefined;

  const all = { actions: [...Array(whole.actions).keys()], faultKinds: whole.faultKinds };
  let best: Omit<Shrunk, 'history'> = { report: whole, kept: keptOf(all.actions, all.faultKinds) };
  let runs = 0;

  /** True if this part of the run breaks the invariant too. */
  async function breaks([actions, faultKinds]: readonly [readonly number[], readonly string[]]): Promise<boolean> {
    if (runs >= RUNS) return false;
    runs += 1;
    const kept = keptOf(actions, faultKinds);
    const report = await simulate(seed, { ...options, kept, draws: replayDraws(tape) });
    const isSame = report.violations[0]?.invariant === broken?.invariant;
    if (isSame) best = { report, kept };
    return isSame;
  }

  // A run with nothing to leave out still needs something to draw from.
  const some = fc.tuple(listOf(orNone(all.actions, 0)), listOf(orNone(all.faultKinds, '')));
  const holds = fc.asyncProperty(some, async (each) => !(await breaks(each)));
  await fc.check(holds, { numRuns: 1, seed, examples: [[[all.actions, [...all.faultKinds]]]] });

  const { report, kept } = best;
  const history = [
    `seed ${seed} breaks invariant ${broken.invariant}; shrunk from ${all.actions.length} actions to ${kept.actions.size}, ` +
      `from ${all.faultKinds.length} kinds of faults to ${kept.faultKinds.size}${listed(kept.faultKinds)}`,
    ...report.history,
    `again: npm run simulate -- --seeds 1 --from ${seed}`,
  ];
  return { report, kept, history };
}

/** Lists of some of the items, that shrink by leaving out and by nothing else. */
function listOf<Item>(items: readonly Item[]): fc.Arbitrary<Item[]> {
  return fc.array(fc.noShrink(fc.constantFrom(...items)), { maxLength: items.length });
}

function orNone<Item>(items: readonly Item[], none: Item): readonly Item[] {
  return items.length === 0 ? [none] : items;
}

function keptOf(actions: readonly number[], faultKinds: readonly string[]): Required<Kept> {
  return { actions: new Set(actions), faultKinds: new Set(faultKinds) };
}

function listed(names: ReadonlySet<string>): string {
  return names.size === 0 ? '' : ` (${[...names].join(', ')})`;
}
