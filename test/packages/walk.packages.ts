import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
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
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8');
  });
  const urls = () => [...printed.matchAll(/^listening on (\S+)$/gm)].map(([, url = '']) => url);
  const urlOfStart = async (count: number) => {
    await expect.poll(() => urls().length, WITHIN).toBeGreaterThanOrEqual(count);
    return urls()[count - 1] ?? '';
  };
  return { child, urlOfStart };
}

const statusOf = async (url: string) => (await fetch(url)).status;

describe('from an empty folder', () => {
  it('`init` writes an app, and installs what it needs', async () => {
    const said = await project.run('npx', '--no-install', 'token-broker', 'init');
    expect(said).toContain('npx --no-install token-broker dev');
    const manifest = JSON.parse(await readFile(join(project.folder, 'package.json'), 'utf8'));
    expect(manifest.dependencies['@token-broker/broker']).toMatch(/^file:/);
    await expect(project.run('npx', '--no-install', 'token-broker', 'init')).rejects.toThrow('is here already');
  });

  it('`dev` hands out a token, and starts again when the connections change', async () => {
    const { child, urlOfStart } = await startDev();
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
    await expect.poll(() => statusOf(`${second}/connections`).catch(() => 'ended'), WITHIN).toBe('ended');
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

  it('the command line finds its own files', async () => {
    const run = (...words: readonly string[]) => project.run('npx', '--no-install', 'token-broker', ...words);
    expect(JSON.parse(await run('schema'))).toHaveProperty('properties.connections');
    expect(await run('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
