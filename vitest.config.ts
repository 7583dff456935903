import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Neither measures anything: what hangs is given up, on a machine however busy.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // The system tests mostly wait for processes of their own.
    maxWorkers: 2,
    // The second one fails a run that printed a credential or a whole token.
    reporters: ['default', './test/system/canary-reporter.ts'],
  },
});
