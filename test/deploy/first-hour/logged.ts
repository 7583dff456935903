import { setTimeout as sleep } from 'node:timers/promises';
import { execute } from '../execute.ts';

/** Waits until something is in a log, for two minutes at the most; for `docs/first-hour.md`. */
const WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 3_000;

const [group = ''] = process.argv.slice(2);
const query = ['--log-group-name', group, '--query', 'length(events)', '--output', 'text', '--max-items', '1'];
const env = Object.fromEntries(
  Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
);
for (const end = Date.now() + WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
  const { output } = await execute('aws', ['logs', 'filter-log-events', ...query], { env });
  if (/^[1-9]/m.test(output)) {
    process.stdout.write(`logged: ${group}\n`);
    break;
  }
  if (Date.now() > end) {
    process.stdout.write(`nothing in ${group}\n${output}\n`);
    break;
  }
}
