import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDeployment, ROOT } from '../deployment.ts';
import { stepsIn } from '../documented-steps.ts';
import { execute } from '../execute.ts';
import { createAdministrator } from '../identities.ts';
import { type Environment, REGION } from '../place.ts';
import { setKnobs, writeDeclaration } from '../upstreams.ts';
import { withPlace } from '../with-place.ts';
import { type Check, checks } from './checks.ts';

/** Longest that a block may take: a deployment on AWS is minutes. */
const WITHIN_MS = 1_200_000;
const SHOWN_CHARACTERS = 60;

const { values, positionals: chosen } = parseArgs({
  options: { emulator: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const steps = new Map(
  stepsIn(readFileSync(join(ROOT, 'docs/first-hour.md'), 'utf8'), 'first hour').map(({ name, commands }) => [
    name,
    commands,
  ]),
);

/** Runs the blocks of the document in order and prints a table. Gives the number of those that came out otherwise. */
async function runAll(environment: Environment, isEmulator: boolean): Promise<number> {
  const rows: string[] = [];
  let odd = 0;
  for (const { name, what, expects, isEmulated = true } of checks.filter(isChosen)) {
    const script = `${steps.get('prepare') ?? ''}\n${steps.get(name) ?? 'false'}`;
    const options = { cwd: ROOT, env: environment, timeoutMs: WITHIN_MS };
    const { output } = await execute('bash', ['-uo', 'pipefail', '-c', script], options);
    const isRight = expects.test(output);
    const left = isEmulator && !isEmulated;
    if (!isRight && !left) odd += 1;
    process.stdout.write(`${isRight ? 'ok  ' : 'ODD '} ${what}\n`);
    if (!isRight) process.stdout.write(`${output}\n`);
    const came = left ? 'not emulated' : isRight ? (/^left out/.exec(output)?.[0] ?? 'yes') : 'NO';
    rows.push(rowOf(what, output, came));
  }
  process.stdout.write(`\n| what | as it should be | came |\n| --- | --- | --- |\n${rows.join('\n')}\n`);
  return odd;
}

/** Reports whether a check is among those that the command line names; it names none to run all. */
function isChosen({ name }: Check): boolean {
  return chosen.length === 0 || chosen.includes(name);
}

function rowOf(what: string, output: string, isRight: string): string {
  const came = output.trim().split('\n').slice(-1).join('').slice(0, SHOWN_CHARACTERS).replaceAll('|', '\\|');
  return `| ${what} | ${isRight} | ${came} |`;
}

/** Runs against the emulator: a demo upstream that answers late hangs, and one that answers nonsense is quick. */
function runEmulated(): Promise<void> {
  return withPlace(async (report, place) => {
    const administrator = await createAdministrator(place, 'deployer');
    await report.step('cdk bootstrap', () => createDeployment(administrator).run('bootstrap'));
    const { helpmaster, community } = place.demo;
    await setKnobs(helpmaster.url, { delayMs: 60_000 });
    const proxy = { paths: ['/only'] };
    const TOKEN_BROKER_CONNECTIONS = writeDeclaration(place, 'first-hour', {
      connections: {
        hanging: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl, proxy },
        quick: { provider: 'helpmaster', baseUrl: community.baseUrl, proxy },
      },
    });
    const odd = await runAll({ ...administrator, AWS_REGION: REGION, TOKEN_BROKER_CONNECTIONS }, true);
    if (odd > 0) throw new Error(`${odd} of ${checks.length} came out otherwise.`);
  });
}

const unknown = chosen.filter((name) => checks.every((check) => check.name !== name));
if (unknown.length > 0) {
  process.stderr.write(`${unknown.join(', ')}: no check. There are ${checks.map(({ name }) => name).join(', ')}.\n`);
  process.exitCode = 2;
} else if (values.emulator) {
  await runEmulated();
} else {
  const given = Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const environment = Object.fromEntries(given);
  if (environment['AWS_REGION'] === undefined) {
    process.stderr.write('Say where: AWS_REGION=eu-west-1 npm run first-hour\n');
    process.exitCode = 2;
  } else {
    process.exitCode = (await runAll(environment, false)) > 0 ? 1 : 0;
  }
}
