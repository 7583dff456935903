import { defineConfig } from 'vitest/config';

/** The tests that mutants of the core, the providers and the proxy's rules must fail: those that need no server and no real time. */
export default defineConfig({
  test: {
    include: [
      'test/functions/core/**/*.test.ts',
      'test/protocol/**/*.test.ts',
      'test/functions/providers/**/*.test.ts',
      'test/functions/http/forwarded-headers.test.ts',
      'test/functions/proxy/path.test.ts',
      'test/stryker/**/*.test.ts',
    ],
    testTimeout: 20_000,
    isolate: false,
  },
});
