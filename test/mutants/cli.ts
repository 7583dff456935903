import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { findKiller, KILLERS_FILE, type Killer, listAllParts, readKillers } from './killers.ts';

// Errors are answers here, and stack traces cost time.
Error.stackTraceLimit = 0;

const ADVICE = `
Nothing is known to notice that. \`npm run test:mutants -- --record\` looks through all small worlds and 20,000 seeds.
If they do not notice it either, add a world to test/search/plans.ts or sharpen an invariant; or take the part out.`;

/**
 * Leaves out every part of every change in turn, on all processors, and has its killer notice; returns 1 if one does
 * not. With `--record`, looks for other killers then, and writes down those that it finds.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { record: { type: 'boolean', default: false } } });
  const known = readKillers();
  const parts = listAllParts();
  const left = [...parts];
  const found = new Map<string, Killer>();
  const began = performance.now();

  async function work(): Promise<void> {
    const worker = new Worker(new URL(import.meta.url), { workerData: values.record });
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      const started = performance.now();
      worker.postMessage(part);
      // A worker answers with the killer that it found.
      const [killer] = (await once(worker, 'message')) as [Killer | undefined];
      if (killer !== undefined) found.set(part, killer);
      console.log(
        `${part}: ${describe(killer)}${killer === undefined || killer === known.get(part) ? '' : ' (new)'}, ${secondsSince(started)} s`,
      );
    }
    await worker.terminate();
  }

  await Promise.all(Array.from({ length: availableParallelism() }, work));
  if (values.record) {
    const killers = parts.flatMap((part) => (found.has(part) ? [[part, found.get(part)]] : []));
    writeFileSync(KILLERS_FILE, `${JSON.stringify(Object.fromEntries(killers), null, 2)}\n`);
  }
  const survivors = parts.filter((part) => !found.has(part));
  console.log(`${found.size} of ${parts.length} parts are needed, ${secondsSince(began)} s`);
  if (survivors.length > 0) console.log(['', 'left out unnoticed:', ...survivors, ADVICE].join('\n'));
  return survivors.length > 0 ? 1 : 0;
}

function describe(killer: Killer | undefined): string {
  if (killer === undefined) return 'left out unnoticed';
  return typeof killer === 'number' ? `seed ${killer}` : killer;
}

function secondsSince(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}

if (isMainThread) process.exitCode = await main();
else {
  const known = readKillers();
  parentPort?.on('message', async (part: string) => {
    parentPort?.postMessage(await findKiller(part, known.get(part), workerData === true));
  });
}
