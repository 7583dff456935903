import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commands } from '../../client/cli/run.ts';
import { PROJECT_FOLDER } from '../system/broker-process.ts';
import { makeFolder } from '../system/own-broker.ts';
import { startStub } from './broker-stub.ts';
import { tokenBroker } from './command-line.ts';

const stub = await startStub();
const folder = await makeFolder();
afterAll(() => Promise.all([stub.close(), folder.remove()]));
const connection = (name: string) => ({ name, provider: 'helpmaster', lifetime_seconds: 60 });
stub.answer({ body: { connections: ['helpdesk', 'wfm'].map(connection) } });

/** The words offered in place of the last one. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await tokenBroker(['__complete', ...words], { url: stub.url });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').flatMap((line) => line.split('\t')[0] || []);
}

describe('what can be typed next', () => {
  it('is every command, by its first word', async () => {
    expect(await offered('')).toEqual(commands.map(({ name }) => name.split(' ')[0]));
    expect(await offered('st')).toEqual(['status']);
    expect(await offered('secret', '')).toEqual(['set']);
  });

  it('is an option: of the command, or of every command', async () => {
    expect(await offered('--ver')).toEqual(['--version']);
    expect(await offered('token', '--')).toEqual(expect.arrayContaining(['--subject', '--header', '--json', '--url']));
    expect(await offered('--json', 'status', '--wa')).toEqual(['--watch']);
  });

  it('is a connection of the broker', async () => {
    expect(await offered('token', '')).toEqual(['helpdesk', 'wfm']);
    expect(await offered('secret', 'set', 'w')).toEqual(['wfm']);
    expect(await offered('exec', 'h')).toEqual(['helpdesk']);
    expect(await offered('agent', '--connection', '')).toEqual(['helpdesk', 'wfm']);
    expect(await offered('token', 'wfm', '')).toEqual([]);
  });

  it('is a shell', async () => {
    expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('is left to the shell for files, for the values of options and for a command to run', async () => {
    expect(await offered('try', 'wfm', '--secrets', '')).toEqual([]);
    expect(await offered('exec', 'wfm', '--', 'c')).toEqual([]);
  });

  it('is nothing of a broker that does not answer', async () => {
    const { code, stdout } = await tokenBroker(['__complete', 'token', ''], { url: 'http://127.0.0.1:1' });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });
});

const isThere = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

/** What a shell makes of the script; `lines` ask it. */
async function inShell(shell: string, lines: string) {
  const program = join(folder.path, 'token-broker');
  const main = join(PROJECT_FOLDER, 'local/token-broker.ts');
  await writeFile(program, `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`, { mode: 0o755 });
  const { stdout: script } = await tokenBroker(['completion', shell]);
  const file = join(folder.path, `completion.${shell}`);
  await writeFile(file, script);
  // Nothing waits for the answers of this process, which is blocked meanwhile: no connection is asked for.
  const env = { ...process.env, PATH: `${folder.path}:${process.env['PATH']}`, SCRIPT: file };
  const { stdout, stderr } = spawnSync(shell, ['-c', lines], { env, encoding: 'utf8', cwd: folder.path });
  expect(stderr).toBe('');
  return stdout.trim().split(/\s*\n/);
}

describe('the script', () => {
  it.runIf(isThere('bash'))('of bash offers words', async () => {
    const words = await inShell(
      'bash',
      `. "$SCRIPT"; COMP_WORDS=(token-broker secret s); COMP_CWORD=2; _token_broker; printf '%s\\n' "\${COMPREPLY[@]}"
      COMP_WORDS=(token-broker --vers); COMP_CWORD=1; _token_broker; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p token-broker`,
    );
    expect(words).toEqual(['set', '--version', 'complete -o default -F _token_broker token-broker']);
  });

  it.runIf(isThere('zsh'))('of zsh offers words with their explanation', async () => {
    const lines = await inShell(
      'zsh',
      `compdef() { print -r -- "for $2" }; _describe() { print -rl -- "\${(@P)2}" }; _files() { print files }
      . "$SCRIPT"; words=(token-broker stat); CURRENT=2; _token_broker; words=(token-broker try x --secrets ''); CURRENT=5; _token_broker`,
    );
    expect(lines).toEqual(['for token-broker', expect.stringMatching(/^status:shows the state/), 'files']);
  });

  it.runIf(isThere('fish'))('of fish offers words with their explanation, and files', async () => {
    const lines = await inShell(
      'fish',
      `source "$SCRIPT"; complete -C 'token-broker stat'; complete -C 'token-broker try x --secrets comp'`,
    );
    expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^status\tshows/), 'completion.fish']));
  });
});
