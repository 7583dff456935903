/** Variables that make a run repeatable. `npm run fuzz -- --runs N --seed S` sets both for all properties. */
export const FUZZ_RUNS = 'TOKEN_BROKER_FUZZ_RUNS';
export const FUZZ_SEED = 'TOKEN_BROKER_FUZZ_SEED';

const SEED = 20_261_122;
const MS_A_RUN = 250;
const LEAST_MS = 30_000;

/** The settings of a property: `usual` runs in `npm test`, and always the same; more when asked for. */
export function settingsOf(usual: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: Number(process.env[FUZZ_RUNS] ?? usual), seed: Number(process.env[FUZZ_SEED] ?? SEED) };
}

/** Timeout for the current number of runs. */
export function timeoutOf(usual: number): number {
  return Math.max(LEAST_MS, settingsOf(usual).numRuns * MS_A_RUN);
}
