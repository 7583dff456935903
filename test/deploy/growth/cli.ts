import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../deployment.ts';
import { describeRun } from '../recorded.ts';
import { withPlace } from '../with-place.ts';
import { deployMany } from './deploy-many.ts';
import { describeGrowth, type Measured, type Shape } from './page.ts';

/** The brokers that docs/deploying.md says one deployment takes. */
const PROMISED: readonly Shape[] = [{ connections: 100 }, { connections: 300, groups: 30 }];
const USAGE = `node test/deploy/growth/cli.ts [--connections COUNT [--groups COUNT]]

Deploys a broker of many connections to the emulator, has the first and the last hand out, and destroys it. Without --groups
each connection has a \`mint\` and a \`proxy\` of its own; with it they share a \`mint\`, and have no proxy. Without a count:
both brokers that docs/deploying.md promises, and bench/results/growth.md is written.
`;
const PAGE = join(ROOT, 'bench/results/growth.md');
const ABOUT = `# Growth, deployed

Each broker was deployed once to the emulator of the deploy test by the commands of [deploying](../../docs/deploying.md), the
first and the last of its connections handed out a token, and it was destroyed. \`node test/deploy/growth/cli.ts\` makes this page.
CloudFormation takes 500 resources and 1,000 KB in a template. The seconds are CDK's and the emulator's: on AWS,
CloudFormation takes its time for each resource.
`;

const { values } = parseArgs({
  options: { connections: { type: 'string' }, groups: { type: 'string' }, help: { type: 'boolean', default: false } },
});
const [connections, groups] = [values.connections, values.groups].map((text) => text && Number(text));

if (values.help || [connections, groups].some((count) => count !== undefined && !isCount(count))) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else if (isCount(connections)) {
  const measured = await deployAll([{ connections, ...(isCount(groups) && { groups }) }]);
  process.stdout.write(`${describeGrowth(measured)}\n`);
} else {
  const measured = await deployAll(PROMISED);
  if (measured.length === PROMISED.length)
    writeFileSync(PAGE, `${ABOUT}\n${describeRun()}.\n\n${describeGrowth(measured)}\n`);
}

/** Deploys each broker to an emulator of its own. Gives the measures of those that it could. */
async function deployAll(shapes: readonly Shape[]): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const shape of shapes) {
    await withPlace(async (report, place) => {
      measured.push(await deployMany(report, place, shape));
      report.done([]);
    });
  }
  return measured;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 1;
}
