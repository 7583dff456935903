/** The result of one run of a case: numbers by name, smaller is better. */
export type Sample = Readonly<Record<string, number>>;

/** Something to measure: `measure` is called once a round. */
export interface Case {
  readonly name: string;
  measure(): Promise<Sample> | Sample;
}

/** Every sample of every case, by the case's name, in the order of the rounds. */
export type Rounds = ReadonlyMap<string, readonly Sample[]>;

/** The middle of a set of numbers and what lies between its tenth and its ninetieth part. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** A measurement is void where the same thing measured twice differs by more than this. */
export const SAME_WITHIN = { low: 0.95, high: 1.05 } as const;

/**
 * Measures every case once a round, in turn, forwards and backwards by turns: whatever the machine does meanwhile, it
 * does to all of them. The first round warms up and is dropped.
 */
export async function runRounds(cases: readonly Case[], rounds: number): Promise<Rounds> {
  const samples = new Map<string, Sample[]>(cases.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, measure } of round % 2 === 0 ? cases : cases.toReversed()) {
      const sample = await measure();
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return samples;
}

/** The spread of one number of a case. Throws where the case has no such number. */
export function spreadOf(rounds: Rounds, name: string, key: string): Spread {
  return spread(numbersOf(rounds, name, key));
}

/** The spread of one case over another, each round by itself. */
export function ratioOf(rounds: Rounds, name: string, base: string, key: string): Spread {
  const bases = numbersOf(rounds, base, key);
  return spread(numbersOf(rounds, name, key).map((value, index) => value / (bases[index] ?? Number.NaN)));
}

/** The spread of numbers; their order does not matter. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.1), high: quantile(sorted, 0.9) };
}

/** The value below which a share of the sorted numbers lies, interpolated. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** Reports whether a ratio of a thing to itself lets the run stand. */
export function isSame(ratio: number): boolean {
  return ratio >= SAME_WITHIN.low && ratio <= SAME_WITHIN.high;
}

function numbersOf(rounds: Rounds, name: string, key: string): readonly number[] {
  return (rounds.get(name) ?? []).map((sample) => {
    const value = sample[key];
    if (value === undefined) throw new Error(`${name} has no ${key}.`);
    return value;
  });
}
