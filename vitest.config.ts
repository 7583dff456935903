import { defineConfig } from 'vitest/config';

// A profile, a session or a broker that whoever runs the tests works with must not be met in them.
const OF_THE_SHELL = /^(?:AWS_|CDK_|TOKEN_BROKER_(?!FUZZ_))/;
for (const name of Object.keys(process.env)) if (OF_THE_SHELL.test(name)) delete process.env[name];

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
