import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // The system tests mostly wait for processes of their own.
    maxWorkers: 2,
    // The second one fails a run that printed a credential or a whole token.
    reporters: ['default', './test/system/canary-reporter.ts'],
  },
});
