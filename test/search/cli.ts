import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { largerPlans, largestPlans, plans } from './plans.ts';
import { type Found, search } from './search.ts';

// Errors are answers here, and stack traces cost time.
Error.stackTraceLimit = 0;

/**
 * Searches every small world, the larger ones first and with `--all` the largest, on all processors; returns 1 if an
 * invariant broke.
 */
async function main(): Promise<number> {
  const all = [...(process.argv.includes('--all') ? largestPlans : []), ...largerPlans, ...plans];
  const left = all.map(({ name }) => name);
  const found: Found[] = [];
  const began = performance.now();

  async function work(): Promise<void> {
    const worker = new Worker(new URL(import.meta.url));
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const started = performance.now();
      worker.postMessage(name);
      // A worker answers with what it found.
      const [each] = (await once(worker, 'message')) as [Found];
      found.push(each);
      console.log(`${name}: ${each.states} states, ${each.transitions} transitions, ${secondsSince(started)} s`);
      if (each.history.length > 0) console.log(['', ...each.history, ''].join('\n  '));
    }
    await worker.terminate();
  }

  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const sumOf = (what: 'states' | 'transitions') => found.reduce((sum, each) => sum + each[what], 0);
  const sums = `${sumOf('states')} states, ${sumOf('transitions')} transitions in ${secondsSince(began)} s`;
  const broken = found.filter(({ history }) => history.length > 0).length;
  console.log(`${all.length} small worlds: ${sums}`);
  console.log(broken === 0 ? 'no invariant was broken' : `an invariant was broken in ${broken} of them`);
  return broken === 0 ? 0 : 1;
}

function secondsSince(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}

if (isMainThread) process.exitCode = await main();
else {
  const plansByName = new Map([...largestPlans, ...largerPlans, ...plans].map((plan) => [plan.name, plan]));
  parentPort?.on('message', async (name: string) => {
    const plan = plansByName.get(name);
    if (plan !== undefined) parentPort?.postMessage(await search(plan));
  });
}
