import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPackages } from '../../../packages/build.ts';
import { MACHINE } from '../../packages/machine.ts';
import { callJson, callQuery, createCaller } from '../aws-calls.ts';
import { blocksIn, sectionOf } from '../documented-steps.ts';
import { execute } from '../execute.ts';
import { handedOutIn, problemCodeIn } from '../handed-out.ts';
import { ACCOUNT, assumeRole } from '../identities.ts';
import { type Environment, type Place, REGION, urlOf } from '../place.ts';
import type { Report } from '../report.ts';
import { setKnobs } from '../upstreams.ts';

/** The address that stands for the API's own in the app's README. */
const URL_IN_README = 'https://ID.execute-api.REGION.amazonaws.com/v1';
const CALL = `import { createTokenBrokerClient } from '@token-broker/client';
const { headers, source } = await createTokenBrokerClient().token('helpdesk');
console.log(source, ...Object.keys(headers));
`;

/**
 * Installs the packed packages in a folder outside the clone, has `token-broker init` write its app there, and deploys and
 * uses that as its README says; then takes it away again.
 */
export async function checkPackedApp(
  report: Report,
  place: Place,
  administrator: Environment,
  stranger: Environment,
): Promise<void> {
  const folder = join(place.scratch, 'app');
  // npm reaches its registry without the emulator's certificate, and the commands reach the emulator with it alone.
  const environment = { ...administrator, PATH: MACHINE['PATH'] ?? '' };

  async function type(script: string, env: Environment = environment): Promise<string> {
    const { code, output } = await execute('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env });
    assert.equal(code, 0, `${script}\n${output.slice(-4_000)}`);
    return output;
  }

  await report.step('From the packed files `token-broker init` writes an app, outside the clone', async () => {
    const { broker, client } = await buildPackages();
    mkdirSync(folder);
    await type(`npm init -y && npm install '${broker}' '${client}' && npx --no-install token-broker init`, {
      ...MACHINE,
      npm_config_prefer_offline: 'true',
    });
  });

  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const [deploy = '', use = ''] = blocksIn(sectionOf(readme, /In AWS/) ?? '');
  editFile(join(folder, 'connections.mjs'), { 'https://helpmaster.example.com/api': place.demo.helpmaster.baseUrl });
  editFile(join(folder, 'app.mjs'), { '// import': 'import', '// stack': 'stack', '123456789012': ACCOUNT });
  await callQuery(place.owner, 'iam', {
    Action: 'CreateRole',
    RoleName: 'jobs',
    AssumeRolePolicyDocument: JSON.stringify({
      Statement: { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' },
    }),
  });
  await report.step('Its README deploys it', () => type(deploy));
  const url = await urlOf(environment, 'TokenBroker');
  await report.step('Its README sets its secret, and gets a token', async () => {
    const apiKey = randomUUID();
    await setKnobs(place.demo.helpmaster.url, { credential: { apiKey } });
    writeFileSync(join(folder, 'key.txt'), apiKey);
    const typed = edit(use, {
      [URL_IN_README]: url,
      'secret set helpdesk': 'secret set helpdesk < key.txt',
      'token helpdesk': 'token helpdesk --json',
    });
    handedOutIn(await type(typed));
  });
  await report.step(
    'The role that its app grants a token gets one by the packed client, and a stranger 403',
    async () => {
      writeFileSync(join(folder, 'call.mjs'), CALL);
      const jobs = { ...(await assumeRole(administrator, 'jobs')), PATH: environment.PATH, TOKEN_BROKER_URL: url };
      assert.match(await type('node call.mjs', jobs), /^cache Authorization$/m);
      const { status, body } = await createCaller(url, stranger)('GET', '/tokens/helpdesk/system');
      assert.deepEqual([status, problemCodeIn(body)], [403, 'forbidden']);
    },
  );
  await report.step('Its README takes it away, and its secret stays', async () => {
    assert.match(readme, /`npx cdk destroy`/);
    await type(`AWS_REGION=${REGION} npx cdk destroy --force`);
    const { status } = await callJson(place.owner, 'secretsmanager.DeleteSecret', {
      SecretId: 'token-broker/helpdesk',
      ForceDeleteWithoutRecovery: true,
    });
    assert.equal(status, 200);
  });
}

/** Replaces texts as a person would who edits a file or a command; throws where one is not there. */
function edit(text: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((edited, [from, to]) => {
    assert.ok(edited.includes(from), `${from} is not in:\n${edited}`);
    return edited.replace(from, to);
  }, text);
}

function editFile(file: string, replacements: Readonly<Record<string, string>>): void {
  writeFileSync(file, edit(readFileSync(file, 'utf8'), replacements));
}
