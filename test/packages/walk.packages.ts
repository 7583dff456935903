import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { makeFolder, type Project, projectIn } from './project.ts';

const WITHIN = { timeout: 120_000, interval: 200 };
const PROGRAM = 'node_modules/@token-broker/broker/local/token-broker.mjs';

let project: Project;
const started: ChildProcess[] = [];

beforeAll(async () => {
  project = await projectIn(await makeFolder());
  await project.run('npm', 'init', '-y');
  await project.install(inject('packed').broker);
});
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

/** Starts `token-broker dev`; gives what it has printed so far, and its address once it listens. */
async function startDev() {
  const child = project.start('node', PROGRAM, 'dev', '--port', '0');
  started.push(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (printed += String(chunk)));
  const urls = () => [...printed.matchAll(/^listening on (\S+)$/gm)].map(([, url = '']) => url);
  const urlOfStart = async (count: number) => {
    await expect.poll(() => urls().length, WITHIN).toBeGreaterThanOrEqual(count);
    return urls()[count - 1] ?? '';
  };
  return { child, urlOfStart, printed: () => printed };
}

/** Environment of a command whose AWS is at a URL. */
const awsAt = (url: string) => [
  ...['AWS_REGION=eu-west-1', 'AWS_ACCESS_KEY_ID=of-nobody', 'AWS_SECRET_ACCESS_KEY=of-nobody'],
  `AWS_ENDPOINT_URL=${url}`,
];

/** What stands in for AWS: it has deployed two connections for whatever stack it is asked about, and refuses all else. */
async function startAws() {
  const stacks = new Set<string>();
  const resultOf: Readonly<Record<string, string>> = {
    GetCallerIdentity: '<Arn>arn:aws:iam::111122223333:user/ada</Arn><Account>111122223333</Account>',
    GetTemplate: `<TemplateBody>{"Metadata":{"TokenBroker::Connections":["helpdesk","wfm"]}}</TemplateBody>`,
    DescribeStacks: '<Stacks><member><StackStatus>UPDATE_COMPLETE</StackStatus></member></Stacks>',
    ListStackResources: '<StackResourceSummaries></StackResourceSummaries>',
  };
  const server = createServer(async (request, response) => {
    const body = new URLSearchParams(await text(request));
    const action = body.get('Action') ?? '';
    const result = resultOf[action];
    if (action === 'GetTemplate') stacks.add(body.get('StackName') ?? '');
    response.statusCode = result === undefined ? 403 : 200;
    response.end(`<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`);
  });
  const url = await listenOnLoopback(server, 0);
  onTestFinished(() => closeServer(server));
  return { url, stacks: () => [...stacks] };
}

const statusOf = async (url: string) => (await fetch(url)).status;

describe('from an empty folder', () => {
  it('`init` writes an app, and installs what it needs', async () => {
    const said = await project.run('npx', '--no-install', 'token-broker', 'init');
    expect(said).toMatch(/npx --no-install token-broker dev [\s\S]*npx --no-install token-broker deploy /);
    const manifest = JSON.parse(await readFile(join(project.folder, 'package.json'), 'utf8'));
    expect(manifest.dependencies['@token-broker/broker']).toMatch(/^file:/);
    await expect(project.run('npx', '--no-install', 'token-broker', 'init')).rejects.toThrow('Nothing was written');
  });

  it('`dev` hands out a token, takes up a change of the connections, and goes on where one is faulty', async () => {
    const { child, urlOfStart, printed } = await startDev();
    const first = await urlOfStart(1);
    const answer = await fetch(`${first}/tokens/helpdesk/system`);
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ source: 'login' })]);
    // Its pages have their files with them.
    for (const path of ['/', '/docs', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js']) {
      expect([path, await statusOf(`${first}${path}`)]).toEqual([path, 200]);
    }
    expect(await statusOf(`${first}/tokens/helpdesk/88`)).toBe(200);

    const connections = await readFile(join(project.folder, 'connections.mjs'), 'utf8');
    const narrower = connections.replace('proxy:', "subjects: { system: true, staff: ['42'] },\n      proxy:");
    await project.write({ 'connections.mjs': narrower });
    const second = await urlOfStart(2);
    expect(await statusOf(`${second}/tokens/helpdesk/88`)).toBe(403);

    await project.write({ 'connections.mjs': 'export default {' });
    await expect.poll(printed, WITHIN).toContain('The broker goes on as before.');
    expect(await statusOf(`${second}/tokens/helpdesk/88`)).toBe(403);
    await project.write({ 'connections.mjs': connections });
    const third = await urlOfStart(3);
    expect(await statusOf(`${third}/tokens/helpdesk/88`)).toBe(200);

    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(await statusOf(`${third}/connections`).catch(() => 'ended')).toBe('ended');
  });

  it('a broker that dies with its parent leaves no process behind', async () => {
    const { child, urlOfStart } = await startDev();
    const url = await urlOfStart(1);
    child.kill('SIGKILL');
    await expect.poll(() => statusOf(`${url}/connections`).catch(() => 'ended'), WITHIN).toBe('ended');
  });

  it('`npx cdk synth` makes the stack', async () => {
    await project.run('npx', '--no-install', 'cdk', 'synth', '--quiet');
    const template = JSON.parse(await readFile(join(project.folder, 'cdk.out/TokenBroker.template.json'), 'utf8'));
    expect(Object.keys(template.Outputs)).toEqual(expect.arrayContaining(['ApiUrl', 'SetSecret1']));
  });

  it('`deploy` has the guards of the clone, and deploys the app for a stage', async () => {
    const deploy = (url: string, ...words: readonly string[]) =>
      project
        .run('env', ...awsAt(url), 'npx', '--no-install', 'token-broker', 'deploy', ...words)
        .catch((error: unknown) => String(error));
    const aws = await startAws();
    expect(await deploy(aws.url)).toContain("is an example's address, and nobody can log in there.");

    const connections = await readFile(join(project.folder, 'connections.mjs'), 'utf8');
    await project.write({ 'connections.mjs': connections.replace('helpmaster.example.com', 'help.acme-corp.net') });
    const asked = await deploy(aws.url, '--stage', 'dev', '--allow-me');
    expect(asked).toContain('The connection wfm goes, and who calls it gets 404.');
    expect(asked).toContain('add --yes if it is meant.');
    expect(asked).not.toContain('NodeVersionSupportWarning');
    expect(aws.stacks()).toEqual(['TokenBroker-token-broker-dev']);
    const agreed = await deploy(aws.url, '--stage', 'dev', '--allow-me', '--yes');
    expect(agreed).not.toContain('add --yes');
    // CDK itself was run, with what was looked at.
    expect(agreed).toContain('role/cdk-hnb659fds-deploy-role-111122223333-eu-west-1');
    await project.write({ 'connections.mjs': connections });
  });

  it('the command line finds its own files', async () => {
    const run = (...words: readonly string[]) => project.run('npx', '--no-install', 'token-broker', ...words);
    expect(JSON.parse(await run('schema'))).toHaveProperty('properties.connections');
    expect(await run('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
