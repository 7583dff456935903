import { describe, expect, it } from 'vitest';
import { mutants } from './mutants.ts';
import { simulateMutant } from './mutation.ts';

/** Enough for every mutant; most fall within a hundred. */
const SEEDS = 4_000;

describe('the simulation notices', () => {
  it.each(mutants)('$name', async (mutant) => {
    const { isCaught, said } = await simulateMutant(mutant, SEEDS);

    expect(isCaught, said).toBe(true);
    expect(said).toMatch(/^seed \d+: /);
  });
});
