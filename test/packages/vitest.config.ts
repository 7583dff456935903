import { defineConfig } from 'vitest/config';

/**
 * Both packages, built, packed, and installed from the packed files in empty projects: `npm run test:packages`. It is no
 * part of `npm test`, because npm installs what those projects need.
 */
export default defineConfig({
  test: {
    include: ['test/packages/**/*.packages.ts'],
    globalSetup: 'test/packages/packed.ts',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
