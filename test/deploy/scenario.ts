import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoCommunitySecret } from '../../local/demo/community-knobs.ts';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster-knobs.ts';
import { createCaller } from './aws-calls.ts';
import { checkCandidates } from './chapters/candidate.ts';
import { checkClosed } from './chapters/closed.ts';
import { checkOwnRights, deployGranted } from './chapters/granted.ts';
import { checkGrants } from './chapters/grants.ts';
import { checkPackedApp } from './chapters/packed-app.ts';
import { checkSomeRights } from './chapters/rights.ts';
import { putSecondStage } from './chapters/stages.ts';
import { createDeployment, type Deployment, ROOT } from './deployment.ts';
import { linesNotIn, sectionOf, stepsIn } from './documented-steps.ts';
import { execute } from './execute.ts';
import { type HandedOut, handedOutIn, problemCodeIn } from './handed-out.ts';
import { createAdministrator } from './identities.ts';
import { type Environment, type Place, urlOf } from './place.ts';
import type { Report } from './report.ts';
import { readLedger, setKnobs, until, writeConnections, writeSecret } from './upstreams.ts';

type ConnectionName = 'helpdesk' | 'wfm';

const SYNTH_WITHIN_SECONDS = 10;
/** A cooldown after a missing secret ends in 10 s. */
const TOKEN_WITHIN_MS = 40_000;
/** The schedule runs each minute; a Community token is due 20 s after it was issued, at the latest. */
const SLIDE_WITHIN_MS = 150_000;

/** Runs the whole life of a deployment by the steps of `docs/deploying.md`, and checks the results. */
export async function runScenario(report: Report, place: Place): Promise<void> {
  const administrator = await createAdministrator(place, 'deployer');
  const environment = { ...administrator, TOKEN_BROKER_CONNECTIONS: writeConnections(place) };
  const deployment = createDeployment(environment);

  await report.step("README's commands are among those that are run here", checkReadme);
  await report.step('cdk synth: without credentials, under 10 s, the same twice', () => checkSynth(place));
  await report.step('Without a region a deployment says how to name one', async () => {
    const { code, output } = await execute('npm', ['run', '--silent', 'deploy'], { cwd: ROOT, env: environment });
    assert.equal(code, 2);
    assert.match(output, /export AWS_REGION=/);
  });
  await report.step('Without a bootstrap a deployment says how to make one', async () => {
    const { code, output } = await deployment.attempt('deploy');
    assert.notEqual(code, 0);
    assert.match(output, /npx cdk bootstrap/);
  });

  await report.step('cdk bootstrap', () => deployment.run('bootstrap'));
  await report.step('npm run deploy', () => deployment.run('deploy'));
  await report.step('Without a secret value the API says how to set it', async () => {
    const { output } = await deployment.attempt('first-token');
    assert.equal(problemCodeIn(output), 'secret_unavailable');
    assert.match(output, /aws secretsmanager put-secret-value --secret-id token-broker\/helpdesk/);
  });
  await report.step('The secrets are put', async () => {
    writeSecret(place, 'helpdesk', demoHelpmasterSecret);
    writeSecret(place, 'wfm', demoCommunitySecret);
    await deployment.run('set-secrets');
  });

  const helpdesk = await report.step('A HelpMaster token comes out of the API', () => tokenOf(deployment, 'helpdesk'));
  report.note(describe('helpdesk', helpdesk));
  assert.deepEqual(Object.keys(helpdesk.headers), ['Authorization']);
  const wfm = await report.step('A Community token comes out of the API', () => tokenOf(deployment, 'wfm'));
  report.note(describe('wfm', wfm));
  assert.deepEqual(Object.keys(wfm.headers), ['WFMSGAPIKEY']);
  assert.deepEqual([helpdesk.generation, wfm.generation], [1, 1]);

  const url = await urlOf(environment, 'TokenBroker');
  await report.step('A request without a signature is refused in the shape of the broker’s own errors', async () => {
    const output = await asked(deployment, 'curl -sS -i "$URL/tokens/helpdesk/system"');
    assert.match(output, /^HTTP\/\S+ 403 /);
    assert.match(output, /content-type: application\/problem\+json/i);
    assert.match(output, /cache-control: no-store/i);
    assert.match(output, /token-broker-error: forbidden/i);
    assert.match(output, /"request_id":"[0-9a-f-]{36}"/);
  });
  await report.step('A path that the API does not have is 404, and another method 405', async () => {
    assert.equal(problemCodeIn(await asked(deployment, 'signed "$URL/nowhere/at/all"')), 'not_found');
    assert.equal(problemCodeIn(await asked(deployment, 'signed -X PUT "$URL/connections"')), 'method_not_allowed');
  });
  await report.step('A proxied call reaches the upstream with its path as it was sent, and is marked', async () => {
    const call = createCaller(url, environment);
    const { headers } = await call('GET', '/proxy/helpdesk/system/files/a%2Fb?b=1&a=2', { headers: { accept: '*/*' } });
    assert.equal(headers.get('token-broker-upstream'), 'helpdesk');
    const { calls } = await readLedger(place.demo.helpmaster.url);
    assert.match(JSON.stringify(calls), /\/files\/a%2Fb/);
  });

  const stranger = await createAdministrator(place, 'stranger');
  const secrets = ['token-broker/helpdesk', 'token-broker/wfm'];
  await checkClosed(report, { stack: 'TokenBroker', url, secrets }, stranger);
  const second = await putSecondStage(report, place, administrator);
  await tryGranted(report, { ...place, demo: place.otherDemo }, administrator, stranger);

  const slid = await report.step('The schedule slides the Community token, and nobody asked for it', async () => {
    await slideOf(place);
    return until(TOKEN_WITHIN_MS, async () => {
      const found = await tokenOf(deployment, 'wfm');
      return found.generation > wfm.generation ? found : undefined;
    });
  });
  report.note(describe('wfm', slid));
  assert.notEqual(slid.tokenHash, wfm.tokenHash);
  assert.equal(
    (await readLedger(place.demo.community.url)).logins.length,
    1,
    'the token was slid, not logged in for again',
  );

  const rotated = await report.step('A rotated secret is used for the next login', async () => {
    const credential = { apiKey: randomUUID() };
    await setKnobs(place.demo.helpmaster.url, { credential });
    writeSecret(place, 'helpdesk', credential);
    await deployment.run('rotate');
    assert.equal((await tokenOf(deployment, 'helpdesk')).tokenHash, helpdesk.tokenHash, 'a good token stays');
    await deployment.run('drop-token');
    // A warm instance hands it out from memory for a while yet.
    return until(TOKEN_WITHIN_MS, async () => {
      const found = await tokenOf(deployment, 'helpdesk');
      return found.tokenHash === helpdesk.tokenHash ? undefined : found;
    });
  });
  report.note(describe('helpdesk', rotated));
  assert.ok(rotated.generation > helpdesk.generation);

  await report.step('The states are shown', async () => {
    const output = await deployment.run('states');
    assert.match(output, /"state":\s*"fresh"/);
    // `doesNotMatch` would quote what it found.
    assert.ok(!output.includes('access_token'), 'a state holds a token');
  });
  await report.step('A deployment without a change changes nothing', async () => {
    assert.match(await deployment.run('upgrade'), /\(no changes\)/);
    assert.equal((await tokenOf(deployment, 'helpdesk')).tokenHash, rotated.tokenHash);
  });
  await report.step('A deployment that drops a connection deploys nothing where nobody agrees', async () => {
    const less = { ...environment, TOKEN_BROKER_CONNECTIONS: writeConnections(place, ['wfm']) };
    const { code, output } = await createDeployment(less).attempt('upgrade');
    assert.equal(code, 2, output);
    assert.match(output, /The connection helpdesk goes/);
    assert.equal((await tokenOf(deployment, 'helpdesk')).tokenHash, rotated.tokenHash);
  });
  await report.step('The example is not deployed', async () => {
    const { TOKEN_BROKER_CONNECTIONS: _, ...none } = environment;
    const { code, output } = await createDeployment(none).attempt('upgrade');
    assert.equal(code, 2, output);
    assert.match(output, /helpmaster\.example\.com/);
  });
  await report.step('The second stage is destroyed, and the first is as it was', async () => {
    await second.destroy();
    assert.equal((await tokenOf(deployment, 'helpdesk')).tokenHash, rotated.tokenHash);
  });
  await report.step('A value that is tried first becomes current only if the upstream takes it', () =>
    checkCandidates(place, environment),
  );
  await report.step('The stack is destroyed, and the API gone with it', async () => {
    await deployment.run('destroy');
    const { code } = await deployment.attempt('first-token');
    assert.notEqual(code, 0);
  });
  await report.step('The secrets stayed, and are deleted by hand', () => deployment.run('delete-secrets'));
  await checkPackedApp(report, place, administrator, stranger);
}

/** Deploys an app with grants, tries them, and takes it away again. */
async function tryGranted(
  report: Report,
  place: Place,
  administrator: Environment,
  stranger: Environment,
): Promise<void> {
  const broker = await report.step('An app with a broker of its own and roles with grants is deployed', () =>
    deployGranted(place, administrator),
  );
  await checkGrants(report, broker.url, administrator);
  await checkClosed(report, broker, stranger);
  await checkOwnRights(report, place, broker.probes);
  await checkSomeRights(report, place, broker);
  await report.step('It is destroyed', broker.destroy);
}

/** Asks as the document does, until a cooldown from before is over. */
function tokenOf(deployment: Deployment, connection: ConnectionName): Promise<HandedOut> {
  return until(TOKEN_WITHIN_MS, async () => {
    const { code, output } = await deployment.attempt('first-token', (commands) =>
      commands.replaceAll('helpdesk', connection),
    );
    assert.equal(code, 0, output);
    return problemCodeIn(output) === 'cooldown' ? undefined : handedOutIn(output);
  });
}

/** Runs other commands in place of those that the document asks for a token with. */
async function asked(deployment: Deployment, command: string): Promise<string> {
  const { code, output } = await deployment.attempt('first-token', () => command);
  assert.equal(code, 0, output);
  return output;
}

async function slideOf({ demo }: Place): Promise<void> {
  await until(SLIDE_WITHIN_MS, async () =>
    (await readLedger(demo.community.url)).slides.length > 0 ? true : undefined,
  );
}

async function checkReadme(): Promise<void> {
  const steps = stepsIn(readFileSync(join(ROOT, 'docs/deploying.md'), 'utf8'));
  const section = sectionOf(readFileSync(join(ROOT, 'README.md'), 'utf8'), /deploy/i);
  assert.ok(section !== undefined, 'README.md has no section on deployment');
  assert.deepEqual(linesNotIn(section, steps), [], 'README.md has commands that docs/deploying.md has not');
}

async function checkSynth({ home, scratch }: Place): Promise<void> {
  const assemblies = [];
  for (const name of ['first', 'second']) {
    const output = join(scratch, name);
    const script = `TIMEFORMAT='took %R %U %S'; time npx cdk synth --quiet --output '${output}'`;
    const { code, output: said } = await execute('bash', ['-c', script], { cwd: ROOT, env: home });
    assert.equal(code, 0, said);
    const [, wall = Number.NaN, user = Number.NaN, system = Number.NaN] =
      /took (\S+) (\S+) (\S+)/.exec(said)?.map(Number) ?? [];
    // On a busy machine it waits for others; what it takes itself is the processor's time.
    assert.ok(Math.min(wall, user + system) < SYNTH_WITHIN_SECONDS, `a synth took ${wall} s`);
    const assets = readdirSync(output).filter((each) => each.startsWith('asset.'));
    assemblies.push([readFileSync(join(output, 'TokenBroker.template.json'), 'utf8'), assets.sort()]);
  }
  assert.deepEqual(assemblies[0], assemblies[1]);
}

function describe(connection: ConnectionName, { tokenHash, generation, source }: HandedOut): string {
  return `${connection}: token ${tokenHash}, generation ${generation}, by ${source}`;
}
