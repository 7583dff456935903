import { defineConfig } from 'vitest/config';

/** Tests that need a Chromium (`CHROMIUM_PATH`, or one in the usual places); no part of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
