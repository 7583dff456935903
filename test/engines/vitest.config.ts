import { defineConfig } from 'vitest/config';

/** The store on AWS's own engine, DynamoDB Local; `npm run test:engines`, no part of `npm test`: it needs Java 17. */
export default defineConfig({
  test: {
    include: ['test/engines/**/*.engines.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
