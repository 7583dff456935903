import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PROJECT_FOLDER, startBroker } from './broker-process.ts';
import { makeFolder } from './own-broker.ts';

const [broker, folder] = await Promise.all([startBroker(), makeFolder()]);
const agents: ChildProcess[] = [];
afterAll(async () => {
  for (const agent of agents) agent.kill('SIGKILL');
  await Promise.all([broker.stop(), folder.remove()]);
});

const main = join(PROJECT_FOLDER, 'local/token-broker.ts');
await writeFile(join(folder.path, 'token-broker'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
  mode: 0o755,
});
await writeFile(join(folder.path, 'report.py'), '#!/bin/sh\ntest -n "$WFM_TOKEN" && echo reported\n', { mode: 0o755 });
const environment = {
  ...process.env,
  PATH: `${folder.path}:${process.env['PATH']}`,
  TOKEN_BROKER_URL: broker.url,
  HELPMASTER_URL: broker.demo.helpmaster,
  TOKEN: 'a token that somebody found',
};

/** The commands behind a prompt in the console blocks of a page, and what is shown behind each. */
async function consoleOf(page: string): Promise<readonly { readonly command: string; readonly shown: string }[]> {
  const text = await readFile(join(PROJECT_FOLDER, page), 'utf8');
  return [...text.matchAll(/^```console\n(.*?)^```/gms)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .filter((part) => part !== '')
      .map((part) => ({ command: part.split('\n')[0] ?? '', shown: part.split('\n').slice(1).join('\n') })),
  );
}

function shell(
  command: string,
): Promise<{ readonly failed: boolean; readonly stdout: string; readonly stderr: string }> {
  const cwd = command.startsWith('npm ') ? PROJECT_FOLDER : folder.path;
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { cwd, env: environment }, (error, stdout, stderr) =>
      resolve({ failed: error !== null, stdout, stderr }),
    );
  });
}

describe('the commands of docs/cli.md', async () => {
  const all = await consoleOf('docs/cli.md');
  const run = all.filter(({ command }) => !/https:\/\/|^token-broker try acme/.test(command));

  it('are run, but for those that the page names', () => {
    expect(run).toHaveLength(7);
    expect(all.length - run.length).toBe(2);
  });

  it.each(run)('do as typed: $command', async ({ command, shown }) => {
    const { failed, stdout, stderr } = await shell(command);
    expect({ failed, stderr }).toEqual({ failed: false, stderr: expect.not.stringContaining('token-broker:') });
    if (command.includes(' connections')) expect(stdout).toBe(shown);
    if (/MyOpenJobs|AgentLogonReport/.test(command)) expect(JSON.parse(stdout)).toMatchObject({ success: true });
    if (command.includes('report.py')) expect(stdout).toBe('reported\n');
    if (command.includes('audit helpdesk')) {
      const [head = ''] = shown.split('\n');
      expect(stdout.split('\n')[0]?.split(/ +/)).toEqual(head.split(/ +/));
      expect(stdout).toMatch(/helpdesk\/88 +[0-9a-f]{12} +1 +login/);
    }
  });
});

describe('the commands of docs/agent.md', async () => {
  const [started, ...others] = await consoleOf('docs/agent.md');
  const page = await readFile(join(PROJECT_FOLDER, 'docs/agent.md'), 'utf8');
  const [, exports = '', call = ''] = /^```sh\n(export .*)\n(.*)\n```/m.exec(page) ?? [];

  it('start an agent as shown, and get a token of it', async () => {
    expect(others).toEqual([]);
    expect(started?.command).toBe('token-broker agent --connection wfm --connection helpdesk/88');
    // A port that is free here, and a folder of this test's own.
    const agent = spawn('sh', ['-c', `exec ${started?.command} --port 0`], {
      env: { ...environment, XDG_RUNTIME_DIR: folder.path },
    });
    agents.push(agent);
    let printed = '';
    for (const stream of [agent.stdout, agent.stderr]) stream.on('data', (text: Buffer) => (printed += text));
    await expect.poll(() => printed.split('\n').length).toBe(4);

    const url = /^http:\/\/127\.0\.0\.1:(\d+)$/m.exec(printed)?.[0] ?? '';
    const file = join(folder.path, `token-broker-agent-${new URL(url).port}.token`);
    const asShown = started?.shown
      .replace('http://127.0.0.1:8791', url)
      .replace(/https:\S+(?=,)/, broker.url)
      .replace(/\/run\S+/, file);
    expect(printed.split('\n').toSorted()).toEqual(asShown?.split('\n').toSorted());
    expect(exports).toBe(
      'export AGENT_URL=http://127.0.0.1:8791 AGENT_TOKEN_FILE=/run/user/1000/token-broker-agent-8791.token',
    );
    const { stdout } = await shell(`export AGENT_URL=${url} AGENT_TOKEN_FILE=${file}\n${call}`);
    expect(JSON.parse(stdout)).toMatchObject({ connection: 'helpdesk', subject: '88' });

    agent.kill('SIGTERM');
    expect(await once(agent, 'close')).toEqual([0, null]);
  });
});
