import { deployGranted } from '../chapters/granted.ts';
import { createDeployment } from '../deployment.ts';
import { createAdministrator } from '../identities.ts';
import { recordPage } from '../recorded.ts';
import { withPlace } from '../with-place.ts';
import { listRights, type Right, readPolicies } from './policies.ts';
import { createTakeAway, NOT_EMULATED } from './take-away.ts';

const ABOUT = `A broker with a connection of each kind stood on the emulator of the deploy test, with IAM enforced. Each right of each role,
of a function or of the schedule, was taken away alone, the steps that need the role were run, and the right was put back. The
step is the first that missed it: it failed, or a call was refused though the caller was answered.
\`node test/deploy/rights/cli.ts\` makes this page; the deploy test repeats some of it, and a test compares it with the template.
A broker in a VPC, or with traces, has rights beside these that Lambda uses and the emulator does not model.`;

/** Takes every right of every role away, one at a time, and records what misses it. Words: roles, else all. */
const chosen = process.argv.slice(2);

await withPlace(async (report, place) => {
  const administrator = await createAdministrator(place, 'deployer');
  await report.step('cdk bootstrap', () => createDeployment(administrator).run('bootstrap'));
  const broker = await report.step('A broker with a connection of each kind is deployed', () =>
    deployGranted(place, administrator),
  );
  const policies = (await readPolicies(place.owner, broker.stack)).filter(
    ({ of }) => chosen.length === 0 || chosen.includes(of),
  );
  const of = new Set(policies.map((each) => each.of));
  for (const { name, run } of broker.probes.filter((each) => each.of.some((role) => of.has(role))))
    await report.step(`With all rights: ${name}`, run);

  const takeAway = createTakeAway({ owner: place.owner, probes: broker.probes, logFile: place.logFile });
  const rows: string[] = [];
  const unmissed: string[] = [];
  for (const right of policies.flatMap((policy) => listRights(policy))) {
    const name = `${right.policy.of}: ${right.text}`;
    const missed = NOT_EMULATED.rights.includes(name) ? undefined : await takeAway.tryWithout(right);
    if (missed === undefined && !NOT_EMULATED.rights.includes(name)) unmissed.push(name);
    rows.push(
      rowOf(right, missed?.probe.name ?? (unmissed.includes(name) ? '**none**' : NOT_EMULATED.probe), missed?.how),
    );
    process.stdout.write(`${rows.at(-1)}\n`);
  }
  report.note(`${rows.length} rights, ${unmissed.length} that no step missed`);
  for (const each of unmissed) report.note(each);
  if (chosen.length === 0) {
    const head = '| role | without | missed by | how |\n| --- | --- | --- | --- |';
    recordPage('rights.md', 'Each right, taken away', `${ABOUT}\n\n${head}\n${rows.join('\n')}`);
  }
  report.done([]);
});

function rowOf({ policy, text }: Right, step: string, how = ''): string {
  return `| ${policy.of} | ${text.replaceAll('|', '\\|')} | ${step} | ${how} |`;
}
