import { expect, it } from 'vitest';
import { simulate } from '../simulation/simulate.ts';

const SEEDS = 8;

it(`keeps every invariant of the protocol over ${SEEDS} seeds`, { timeout: 60_000 }, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) expect((await simulate(seed)).violations).toEqual([]);
});
