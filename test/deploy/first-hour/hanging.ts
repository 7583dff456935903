import { setTimeout as sleep } from 'node:timers/promises';
import { problemCodeIn } from '../handed-out.ts';
import { createClient } from './client.ts';

/** Sixty callers for a connection whose upstream hangs, and twenty for another; for `docs/first-hour.md`. */
const HANGING_CALLERS = 60;
const OTHER_CALLERS = 20;
const BETWEEN_MS = 250;

const [url = ''] = process.argv.slice(2);
const call = createClient(url);

const hanging = Array.from({ length: HANGING_CALLERS }, (_, index) => call('GET', `/tokens/hanging/${index + 1}`));
const others: number[] = [];
for (let index = 0; index < OTHER_CALLERS; index += 1) {
  await sleep(BETWEEN_MS);
  const begun = performance.now();
  await call('GET', '/connections/quick');
  others.push((performance.now() - begun) / 1000);
}
const answers = await Promise.allSettled(hanging);
const codes = answers.map((each) => (each.status === 'fulfilled' ? problemCodeIn(each.value.body) : undefined));
const inShape = codes.filter((code) => code !== undefined);
const counts = [...Map.groupBy(inShape, (code) => code)].map(([code, { length }]) => `${length} ${code}`);
process.stdout.write(`${inShape.length} of ${HANGING_CALLERS} answered in our shape: ${counts.join(', ')}\n`);
process.stdout.write(`the slowest other one: ${Math.max(...others).toFixed(1)} s\n`);
