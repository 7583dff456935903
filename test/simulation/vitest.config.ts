import { defineConfig } from 'vitest/config';

/** The mutants of the simulation: minutes of work, and no part of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/simulation/*.slow.ts'],
    testTimeout: 120_000,
    reporters: ['default'],
  },
});
