import { defineConfig } from 'vitest/config';

/**
 * Runs the programs on the pages of `docs/calling/`, in their languages: `npm run test:calling`. It is no part of
 * `npm test`, because it needs curl, Python 3, Go and, for one of them, Java 17, and installs packages below
 * node_modules/.cache.
 */
export default defineConfig({
  test: {
    include: ['test/calling/**/*.calling.ts'],
    // The first run compiles Go packages.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    reporters: ['default'],
  },
});
