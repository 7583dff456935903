import { defineConfig } from 'vitest/config';

/** Several broker processes on one DynamoDB, killed and frozen; `npm run test:processes`, no part of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/processes/**/*.processes.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
