import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deployGranted } from '../chapters/granted.ts';
import { createDeployment, ROOT } from '../deployment.ts';
import { createAdministrator } from '../identities.ts';
import { withPlace } from '../with-place.ts';
import { listRights, readPolicies } from './policies.ts';
import { createTakeAway, type Missed } from './take-away.ts';

const TABLE = join(ROOT, 'bench/results/rights.md');

/** Takes every right of every function away, one at a time, and records what misses it. Words: functions, else all. */
const chosen = process.argv.slice(2);

await withPlace(async (report, place) => {
  const administrator = await createAdministrator(place, 'deployer');
  await report.step('cdk bootstrap', () => createDeployment(administrator).run('bootstrap'));
  const broker = await report.step('A broker with a connection of each kind is deployed', () =>
    deployGranted(place, administrator),
  );
  for (const { name, run } of broker.probes) await report.step(`With all rights: ${name}`, run);
  const policies = await readPolicies(place.owner, broker.stack);
  const takeAway = createTakeAway({ owner: place.owner, probes: broker.probes, logFile: place.logFile });
  const rows: string[] = [];
  const unmissed: string[] = [];
  for (const right of policies.flatMap(listRights)) {
    const { of } = right.policy;
    if (chosen.length > 0 && !chosen.includes(of)) continue;
    const missed = await takeAway.tryWithout(right);
    rows.push(rowOf(of, right.text, missed));
    process.stdout.write(`${rows.at(-1)}\n`);
    if (missed === undefined) unmissed.push(`${of}: ${right.text}`);
  }
  report.note(`${rows.length} rights, ${unmissed.length} that no step missed`);
  for (const each of unmissed) report.note(each);
  if (chosen.length === 0) writeFileSync(TABLE, pageOf(rows));
  report.done([]);
});

function rowOf(of: string, right: string, missed: Missed | undefined): string {
  return `| ${of} | ${right.replaceAll('|', '\\|')} | ${missed?.probe.name ?? '**none**'} | ${missed?.how ?? ''} |`;
}

function pageOf(rows: readonly string[]): string {
  return `# Each right, taken away

A broker with a connection of each kind stood on the emulator of the deploy test, with IAM enforced. Each right of each
function's role was taken away alone, the steps that need the function were run, and the right was put back. The step is the
first that missed it. \`node test/deploy/rights/cli.ts\` makes this page; the deploy test repeats some of it.

| function | without | missed by | how |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
