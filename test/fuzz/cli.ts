import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FUZZ_RUNS, FUZZ_SEED } from './runs.ts';

const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
/** Folders with properties that take runs and seed from `runs.ts`. */
const PLACES = [
  'test/fuzz',
  ...['adapters/aws', 'configuration', 'core/slot', 'http', 'providers'].map((room) => `test/functions/${room}`),
];
const WHOLE_NUMBER = /^[0-9]{1,9}$/;

// `npm run fuzz -- --runs N [--seed S]`: every fuzzing property so often, from that seed, or from one made up here.
const { values } = parseArgs({ options: { runs: { type: 'string', default: '5000' }, seed: { type: 'string' } } });
const { runs, seed = String(Math.floor(Math.random() * 1e9)) } = values;
if (!WHOLE_NUMBER.test(runs) || Number(runs) === 0 || !WHOLE_NUMBER.test(seed)) {
  process.stderr.write('Usage: npm run fuzz -- --runs N [--seed S], both whole numbers.\n');
  process.exitCode = 2;
} else {
  process.stdout.write(`${runs} runs a property; again with --runs ${runs} --seed ${seed}\n`);
  const child = spawn(process.execPath, [VITEST, 'run', ...PLACES], {
    stdio: 'inherit',
    env: { ...process.env, [FUZZ_RUNS]: runs, [FUZZ_SEED]: seed },
  });
  child.once('close', (code) => {
    process.exitCode = code ?? 1;
  });
}
