import { parseArgs } from 'node:util';
import { shrink } from './shrink.ts';
import { type SimulationReport, simulate } from './simulate.ts';

const USAGE = 'node test/simulation/cli.ts [--seeds N] [--from SEED] [--first-failure]';

// Errors are answers here; where they were made is of no interest, and costly to find out.
Error.stackTraceLimit = 0;

/** Runs many seeds and says what they came to; the exit code is 1 where an invariant was broken, 2 for wrong flags. */
async function main(): Promise<number> {
  const { seeds, from, isFirstFailureEnough } = flags();
  const began = performance.now();
  const sums = { steps: 0, faults: 0, requests: 0, logins: 0 };
  const failed: SimulationReport[] = [];
  let simulated = 0;

  for (let seed = from; seed < from + seeds; seed += 1) {
    const report = await simulate(seed);
    simulated += 1;
    for (const key of ['steps', 'faults', 'requests', 'logins'] as const) sums[key] += report[key];
    if (report.violations.length > 0) {
      if (failed.length === 0) console.error(`\n${((await shrink(seed))?.history ?? report.history).join('\n')}`);
      failed.push(report);
      if (isFirstFailureEnough) break;
    }
    if ((seed - from + 1) % 200 === 0)
      process.stderr.write(`\r${seed - from + 1} of ${seeds} seeds, ${failed.length} failed`);
  }

  const seconds = (performance.now() - began) / 1000;
  console.log(
    `\n${simulated} seeds from ${from} in ${seconds.toFixed(1)} s (${Math.round(simulated / seconds)} a second): ` +
      `${sums.requests} requests, ${sums.logins} logins, ${sums.faults} faults, ${sums.steps} steps`,
  );
  for (const { seed, violations } of failed.slice(0, 20)) {
    console.log(`seed ${seed}: ${violations.map(({ invariant, what }) => `invariant ${invariant}: ${what}`)[0]}`);
  }
  console.log(failed.length === 0 ? 'no invariant was broken' : `${failed.length} seeds broke an invariant`);
  return failed.length === 0 ? 0 : 1;
}

function flags(): { readonly seeds: number; readonly from: number; readonly isFirstFailureEnough: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string', default: '2000' },
        from: { type: 'string', default: '1' },
        'first-failure': { type: 'boolean', default: false },
      },
    });
    const [seeds, from] = [Number(values.seeds), Number(values.from)];
    if (Number.isSafeInteger(seeds) && seeds > 0 && Number.isSafeInteger(from)) {
      return { seeds, from, isFirstFailureEnough: values['first-failure'] };
    }
  } catch {
    // An unknown flag is answered as a bad one is.
  }
  console.error(`Both flags take whole numbers: ${USAGE}`);
  process.exit(2);
}

process.exitCode = await main();
