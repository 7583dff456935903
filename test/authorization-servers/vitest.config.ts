import { defineConfig } from 'vitest/config';

/**
 * Runs the engine against an authorization server in Go: `npm run test:servers`. It is no part of `npm test`, because it
 * needs Go, and downloads and compiles packages below node_modules/.cache, pinned by the hashes in `fosite/go.sum`.
 */
export default defineConfig({
  test: {
    include: ['test/authorization-servers/**/*.servers.ts'],
    // The first run compiles Go packages.
    testTimeout: 60_000,
    hookTimeout: 900_000,
    reporters: ['default'],
  },
});
