import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Many times what it takes: it synthesizes, on a busy machine too. */
const TIMEOUT_MS = 300_000;
const ARN = 'arn:aws:iam::111122223333:user/ada';

/** A stack with the connections that the file beside it lists, as a broker lists them; in the place of a whole broker. */
const APP = `import { App, Annotations, CfnResource, Stack } from 'aws-cdk-lib/core';
import settings from './settings.json' with { type: 'json' };
const { connections, name, account, example } = { name: 'TokenBroker', account: '111122223333', ...settings };
const app = new App();
const stack = new Stack(app, name, { env: { account, region: 'eu-west-1' } });
stack.templateOptions.metadata = { 'TokenBroker::Connections': connections };
new CfnResource(stack, 'Secret', { type: 'AWS::SecretsManager::Secret', properties: { Name: 'token-broker/wfm' } });
if (example) Annotations.of(stack).addWarningV2('token-broker:example', 'https://wfm.example.com is one.');
`;

interface Settings {
  readonly connections: readonly string[];
  readonly name?: string;
  readonly account?: string;
  readonly example?: boolean;
}

const SECRET = { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'token-broker/wfm' } };
const templateOf = (connections: readonly string[], resources: object = { Secret: SECRET }) => ({
  Metadata: { 'TokenBroker::Connections': connections },
  Resources: resources,
});

/** What stands in for AWS: it says who deploys and what is deployed, refuses all else, and notes what it was asked. */
async function startAws(deployed: object | undefined, status: string | 'refused' | 'missing' = 'UPDATE_COMPLETE') {
  const asked: string[] = [];
  const isSilent = status === 'refused' || status === 'missing';
  const resultsOf: Readonly<Record<string, string | undefined>> = {
    GetCallerIdentity: `<Arn>${ARN}</Arn><UserId>AIDA</UserId><Account>111122223333</Account>`,
    GetTemplate: deployed && `<TemplateBody>${JSON.stringify(deployed)}</TemplateBody>`,
    DescribeStacks: isSilent ? undefined : `<Stacks><member><StackStatus>${status}</StackStatus></member></Stacks>`,
    ListStackResources: '<StackResourceSummaries></StackResourceSummaries>',
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const action = new URLSearchParams(Buffer.concat(chunks).toString('utf8')).get('Action') ?? '';
    asked.push(action);
    const result = resultsOf[action];
    const isMissing = result === undefined && (action === 'GetTemplate' || status === 'missing');
    const error = isMissing
      ? '<Code>ValidationError</Code><Message>Stack with id TokenBroker does not exist</Message>'
      : `<Code>AccessDenied</Code><Message>no ${action}</Message>`;
    response.statusCode = result === undefined ? (isMissing ? 400 : 403) : 200;
    response.end(
      result === undefined
        ? `<ErrorResponse><Error>${error}</Error></ErrorResponse>`
        : `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`,
    );
  });
  const url = await listenOnLoopback(server, 0);
  onTestFinished(() => closeServer(server));
  return { url, asked };
}

function makeScratch(): string {
  const scratch = mkdtempSync(join(tmpdir(), 'token-broker-deploy-'));
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }));
  return scratch;
}

function makeApp(settings: Settings): string {
  const folder = makeScratch();
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'app.mjs'), APP);
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'cdk.json'), '{ "app": "node app.mjs" }');
  return folder;
}

interface Deployment {
  readonly code: number | null;
  readonly output: string;
}

function runDeploy(folder: string, url: string, words: readonly string[], environment = {}): Promise<Deployment> {
  const child = spawn(process.execPath, [join(ROOT, 'local/token-broker.ts'), 'deploy', ...words], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: folder === ROOT ? makeScratch() : folder,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'of-nobody',
      AWS_SECRET_ACCESS_KEY: 'of-nobody',
      AWS_ENDPOINT_URL: url,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

const QUESTION = 'Nobody can be asked here: add --yes if it is meant.';

describe('`token-broker deploy`, in the folder of an app,', { timeout: TIMEOUT_MS }, () => {
  it('asks about a connection and a secret that go, and deploys nothing where nobody can be asked', async () => {
    const other = { ...SECRET, Properties: { Name: 'token-broker/other' } };
    const { url, asked } = await startAws(templateOf(['helpdesk', 'wfm'], { Secret: SECRET, Other: other }));
    const { code, output } = await runDeploy(makeApp({ connections: ['wfm'] }), url, []);
    expect(output).toContain('  The connection helpdesk goes, and who calls it gets 404.\n');
    expect(output).toContain('  AWS::SecretsManager::Secret Other is deleted.\n');
    expect(output).toContain(QUESTION);
    expect(code).toBe(2);
    expect(asked.at(-1)).toBe('ListStackResources');
  });

  it.each([
    ['--yes is given', templateOf(['helpdesk', 'wfm']), undefined, ['--yes']],
    ['nothing is lost', templateOf(['wfm']), undefined, []],
    ['a first deployment failed', templateOf(['helpdesk']), 'ROLLBACK_COMPLETE', []],
    ['a first deployment was never run', templateOf(['helpdesk']), 'REVIEW_IN_PROGRESS', []],
    ['the stack was deleted', templateOf(['helpdesk']), 'DELETE_COMPLETE', []],
    ['the stack is gone, and its template still told', templateOf(['helpdesk']), 'missing', []],
  ])('goes on to CDK where %s', async (_, deployed, status, words) => {
    const { url, asked } = await startAws(deployed, status);
    const { code, output } = await runDeploy(makeApp({ connections: ['wfm'] }), url, words);
    expect(output).not.toContain(QUESTION);
    // CDK got to what is refused to it here.
    expect([code, asked.length > 4]).toEqual([1, true]);
  });

  it.each([
    ['an address of an example', { example: true }, [], /^https:\/\/wfm\.example\.com is an example's address/m],
    ['an account that it cannot read', { account: '444455556666' }, [], /TokenBroker goes to the account 444455556666/],
    ['a stage that the app does not take', {}, ['--stage', 'dev'], /would deploy TokenBroker in its place/],
    ['a name that the app does not take', {}, ['--allow-me'], /^ {2}arn:aws:iam::111122223333:user\/ada$/m],
  ])('deploys nothing for %s', async (_, settings, words, said) => {
    const { url, asked } = await startAws(undefined);
    const { code, output } = await runDeploy(makeApp({ connections: ['wfm'], ...settings }), url, words);
    expect(output).toMatch(said);
    expect(code).toBe(2);
    expect(asked.filter((action) => action !== 'GetCallerIdentity')).toEqual([]);
  });

  it('takes a stage whose stack is named for it', async () => {
    const { url, asked } = await startAws(undefined);
    const { code } = await runDeploy(makeApp({ connections: ['wfm'], name: 'Broker-dev' }), url, ['--stage', 'dev']);
    // Nothing is deployed under its name, so that CDK is next.
    expect([code, asked.length > 4]).toEqual([1, true]);
  });

  it.each([
    ['no app', () => makeScratch(), [], 'There is no cdk.json here'],
    [
      'no CDK',
      () => {
        const folder = makeScratch();
        writeFileSync(join(folder, 'cdk.json'), '{}');
        return folder;
      },
      [],
      'npm install --save-dev aws-cdk',
    ],
    ['another app behind `--`', () => makeScratch(), ['--', '--app', 'other'], '--app and --output are not for behind'],
    ['a word that it does not know', () => makeScratch(), ['--hotswap'], 'Words for another program go behind `--`.'],
    ['a misspelt word', () => makeScratch(), ['--alow-me'], 'Did you mean --allow-me?'],
  ])('says what is wanted where there is %s', async (_, make, words, said) => {
    const { code, output } = await runDeploy(make(), 'http://127.0.0.1:9', words);
    expect(output).toContain(said);
    expect(code).toBe(2);
  });
});

it(
  'says that it could not read what is deployed, and deploys nothing, where CloudFormation refuses one of its calls',
  async () => {
    const { url, asked } = await startAws({}, 'refused');
    const connections = join(makeScratch(), 'connections.json');
    const helpdesk = { provider: 'helpmaster', baseUrl: 'https://helpdesk.internal/api' };
    writeFileSync(connections, JSON.stringify({ connections: { helpdesk } }));

    // The clone's own app, as `npm run deploy` runs it.
    const { code, output } = await runDeploy(ROOT, url, ['--allow-me'], { TOKEN_BROKER_CONNECTIONS: connections });

    expect(output).toMatch(/^What is deployed now could not be read: AccessDenied: no DescribeStacks$/m);
    expect(code).toBe(2);
    // CDK has asked who it is before, for the synth.
    expect(asked.slice(-2)).toEqual(['GetTemplate', 'DescribeStacks']);
  },
  TIMEOUT_MS,
);
