import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { agentProgram, agentPrograms, agentRecipes } from '../calling/agent-programs.ts';
import { makeFolder, type Project, projectIn } from './project.ts';

const WITHIN = { timeout: 120_000, interval: 200 };

let project: Project;
let agent: { readonly url: string; readonly tokenFile: string };
let upstream: string;
const started: ChildProcess[] = [];

/** Starts the packed program; gives what a pattern finds in all that it prints. */
async function start(pattern: RegExp, ...words: readonly string[]): Promise<readonly string[]> {
  const child = project.start('node_modules/.bin/token-broker', ...words);
  started.push(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (printed += String(chunk)));
  return vi.waitFor(() => {
    const [, ...found] = pattern.exec(printed) ?? [];
    if (found.length === 0) throw new Error(printed);
    return found;
  }, WITHIN);
}

beforeAll(async () => {
  project = await projectIn(await makeFolder());
  await project.run('npm', 'init', '-y');
  await project.install(inject('packed').broker);
  await project.run('npx', '--no-install', 'token-broker', 'init', '--no-install');
  const [broker = '', demo = ''] = await start(
    /listening on (\S+)[\s\S]*?demo helpmaster (\S+)/,
    ...['dev', '--port', '0'],
  );
  upstream = demo;
  const tokenFile = join(project.folder, 'agent.token');
  const own = ['--connection', 'helpdesk/88', '--port', '0', '--token-file', tokenFile, '--url', broker];
  const [url = ''] = await start(/(http:\/\/127\.0\.0\.1:\d+)\n/, 'agent', ...own);
  agent = { url, tokenFile };
});
afterAll(() => {
  for (const child of started) child.kill('SIGTERM');
});

/** Runs a program by its language's own tools, with the variables that it reads. */
async function runProgram(language: string, file: string): Promise<string> {
  const built = join(project.folder, 'program.exe');
  if (language === 'csharp') await project.run('mcs', '-r:System.Net.Http', `-out:${built}`, file);
  const words: Readonly<Record<string, readonly string[]>> = {
    shell: ['sh', file],
    python: ['python3', file],
    go: ['go', 'run', file],
    java: ['java', file],
    node: ['node', file],
    csharp: ['mono', built],
  };
  const variables = [`AGENT_URL=${agent.url}`, `AGENT_TOKEN_FILE=${agent.tokenFile}`, `UPSTREAM_URL=${upstream}`];
  return project.run('env', ...variables, 'no_proxy=127.0.0.1', ...(words[language] ?? []));
}

describe('callers of the packed agent, before the packed broker', () => {
  it.each(agentPrograms)('%s gets a token', async (language, file) => {
    const handedOut = JSON.parse(await runProgram(language, agentProgram(file)));
    expect(handedOut).toMatchObject({ connection: 'helpdesk', subject: '88', token_type: 'Bearer' });
  });

  it.each(agentRecipes)('%s calls the upstream with it', async (language, file) => {
    const answer = JSON.parse(await runProgram(language, agentProgram(file, 'recipes')));
    expect(answer).toMatchObject({ success: true, actingAs: { userid: '88' } });
  });

  it('none gets one without the token of the agent', async () => {
    expect(await readFile(agent.tokenFile, 'utf8')).not.toBe('');
    expect((await fetch(`${agent.url}/tokens/helpdesk/88`)).status).toBe(403);
  });
});
