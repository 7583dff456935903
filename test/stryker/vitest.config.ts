import { defineConfig } from 'vitest/config';

/** The tests that mutants of the core and of the providers must fail: those that need no process and no time. */
export default defineConfig({
  test: {
    include: [
      'test/functions/core/**/*.test.ts',
      'test/functions/providers/**/*.test.ts',
      'test/functions/proxy/**/*.test.ts',
      'test/stryker/**/*.test.ts',
    ],
    testTimeout: 20_000,
    isolate: false,
  },
});
