import { checkOwnRights, deployGranted } from '../chapters/granted.ts';
import { createDeployment } from '../deployment.ts';
import { createAdministrator } from '../identities.ts';
import { withPlace } from '../with-place.ts';
import { type Row, record } from './page.ts';
import { listRights, type Right, readPolicies } from './policies.ts';
import { createTakeAway, NOT_EMULATED } from './take-away.ts';

/** Takes every right of every role away, one at a time, and records what misses it. Words: roles, else all. */
const chosen = process.argv.slice(2);
/** Stands in the table where no step missed a right. */
const NONE = '**none**';

await withPlace(async (report, place) => {
  const administrator = await createAdministrator(place, 'deployer');
  await report.step('cdk bootstrap', () => createDeployment(administrator).run('bootstrap'));
  const broker = await report.step('A broker with a connection of each kind is deployed', () =>
    deployGranted(place, administrator),
  );
  const policies = Map.groupBy(await readPolicies(place.owner, broker.stack), ({ of }) => of);
  const roles = [...policies.keys()].sort();
  const wanted = roles.filter((role) => chosen.length === 0 || chosen.includes(role));
  const ofWanted = broker.probes.filter(({ of }) => of.some((role) => wanted.includes(role)));
  await checkOwnRights(report, place, ofWanted);

  const takeAway = createTakeAway({ owner: place.owner, probes: broker.probes, logFile: place.logFile });
  const unmissed: string[] = [];
  for (const role of wanted) {
    const rows: Row[] = [];
    for (const right of policies.get(role)?.flatMap((policy) => listRights(policy)) ?? []) {
      const row = await tryWithout(right);
      rows.push(row);
      process.stdout.write(`${role}: ${row.text}: ${row.probe} ${row.how}\n`);
      if (row.probe === NONE) unmissed.push(`${role}: ${row.text}`);
    }
    record(role, rows, roles);
  }
  report.note(`${unmissed.length} rights that no step missed`);
  for (const each of unmissed) report.note(each);
  report.done([]);

  async function tryWithout(right: Right): Promise<Row> {
    const { text, policy } = right;
    if (NOT_EMULATED.rights.includes(`${policy.of}: ${text}`)) return { text, probe: NOT_EMULATED.probe, how: '' };
    const missed = await takeAway.tryWithout(right);
    return { text, probe: missed?.probe.name ?? NONE, how: missed?.how ?? '' };
  }
});
