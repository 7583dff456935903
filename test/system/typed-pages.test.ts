import { execFile } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { type CommandBlock, commandBlocksOf } from '../docs/command-blocks.ts';
import { readPage } from '../docs/repository.ts';
import { type BrokerProcess, PROJECT_FOLDER, startBroker } from './broker-process.ts';

const [open, signed] = await Promise.all([startBroker(), startBroker(['--require-sigv4'])]);
afterAll(() => Promise.all([open.stop(), signed.stop()]));

/** Address of the demo issuer, as the broker prints it. */
const issuer = /'(http:\S+)\/__demo\/token'/.exec(open.stdout())?.[1] ?? '';

/** Types a block as it stands, but for the ports, in a shell that has nothing of AWS; ends at the first failure. */
function type(block: CommandBlock, to: BrokerProcess, setting: readonly string[] = []) {
  const script = ['set -e', ...setting, ...block.commands]
    .join('\n')
    .replaceAll('http://127.0.0.1:8787', to.url)
    .replaceAll('http://127.0.0.1:8792', issuer);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:AWS|TOKEN_BROKER)_/.test(name)));
  return new Promise<{ readonly stdout: string; readonly failed: boolean }>((resolve) => {
    execFile('sh', ['-c', script], { cwd: PROJECT_FOLDER, env }, (error, stdout) =>
      resolve({ stdout, failed: error !== null }),
    );
  });
}

/** The answers that were printed: several documents of JSON, one after the other. */
function answersIn(stdout: string): readonly Readonly<Record<string, unknown>>[] {
  return stdout
    .replaceAll('}{', '}\n{')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const membersIn = (text: string) => new Set([...text.matchAll(/"(\w+)":/g)].map(([, name]) => name));
const isStart = ({ commands: [first = ''] }: CommandBlock) => /^npm (?:ci|start)\b/.test(first);

describe('docs/calling/README.md, typed', () => {
  const blocks = commandBlocksOf(readPage('docs/calling/README.md')).filter(({ isMarked }) => !isMarked);
  const has = (text: string) => (block: CommandBlock) => block.commands.join('\n').includes(text);
  const take = (text: string) => {
    const found = blocks.filter(has(text));
    if (found.length !== 1 || found[0] === undefined) throw new Error(`There is not one block with ${text}.`);
    return found[0];
  };
  const special = ['AWS_SECRET_ACCESS_KEY', 'rejected', 'grant_type', '__demo/token'].map(take);
  const plain = blocks.filter((block) => !special.includes(block) && !isStart(block));

  // First, since an operator's DELETE is among the others: what was dropped may be reported.
  it('the report of a token in its first minute, which is answered as the page says', async () => {
    expect(answersIn((await type(take('rejected'), open)).stdout)).toMatchObject([{ code: 'renewal_throttled' }]);
  });

  it.each(plain.map((block) => [block.commands[0] ?? '', block] as const))('%s', async (_first, block) => {
    const { stdout, failed } = await type(block, open);
    expect(failed).toBe(false);
    const answers = answersIn(stdout);
    expect(answers.filter((answer) => 'code' in answer)).toEqual([]);
    const gets = block.commands.filter((command) => !command.includes('DELETE'));
    expect(answers).toHaveLength(gets.length);
    for (const name of membersIn(block.shown)) expect(membersIn(stdout)).toContain(name);
  });

  it('the request that is signed', async () => {
    const { stdout } = await type(take('AWS_SECRET_ACCESS_KEY'), signed);
    expect(answersIn(stdout)).toMatchObject([{ connection: 'helpdesk', subject: 'system' }]);
  });

  it('the exchange, after the lines that get a JWT', async () => {
    const { stdout } = await type(take('grant_type'), open, take('__demo/token').commands);
    expect(answersIn(stdout)).toMatchObject([
      { connection: 'helpdesk', subject: '88', issued_token_type: expect.stringContaining('access_token') },
    ]);
  });
});

describe('README.md, typed', () => {
  const blocks = commandBlocksOf(readPage('README.md')).filter((block) => !block.isMarked && !isStart(block));
  const onLoopback = blocks.filter(({ commands }) => commands[0]?.startsWith('curl '));

  it.each(onLoopback.map((block) => [block.commands[0] ?? '', block] as const))('%s', async (_first, block) => {
    const { stdout } = await type(block, open);
    expect(answersIn(stdout).filter((answer) => 'code' in answer)).toEqual([]);
    for (const name of membersIn(block.shown)) expect(membersIn(stdout)).toContain(name);
  });

  it('the others are commands of docs/deploying.md, which the test of the deployment runs', () => {
    const deploying = new Set(commandBlocksOf(readPage('docs/deploying.md')).flatMap(({ commands }) => commands));
    const others = blocks.filter((block) => !onLoopback.includes(block)).flatMap(({ commands }) => commands);
    expect(others.length).toBeGreaterThan(0);
    expect(others.filter((command) => !deploying.has(command))).toEqual([]);
  });
});

it('the requests that npm start prints, typed in their order, do what they say', async () => {
  const commands = open
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim());
  expect(commands.length).toBeGreaterThan(20);
  const { stdout, failed } = await type({ commands, shown: '', isMarked: false }, open);
  expect(failed).toBe(false);
  const answers = answersIn(stdout);
  // Lines that keep an answer in a variable print nothing; one line deletes, and then asks.
  expect(answers).toHaveLength(commands.filter((line) => !/^(?:TOKEN|JWT)=/.test(line)).length);
  expect(answers.flatMap(({ code }) => code ?? [])).toEqual(['upstream_unavailable']);
  expect(answers.filter(({ error, success }) => error !== undefined || success === false)).toEqual([]);
  expect(answers).toContainEqual(expect.objectContaining({ issued_token_type: expect.any(String) }));
});
