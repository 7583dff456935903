import { afterAll, describe, expect, it } from 'vitest';
import type { DeployOptions } from '../../client/cli/command.ts';
import { ownBroker } from '../../local/own-broker.ts';
import manifest from '../../package.json' with { type: 'json' };
import { tokenBroker } from './command-line.ts';
import { startLocalBroker } from './local-broker.ts';

const broker = await startLocalBroker();
afterAll(() => broker.close());
const here = (args: string) => tokenBroker(args.split(' '), { url: broker.url });

describe('a command line', () => {
  it('--version prints the version of the package', async () => {
    expect(await tokenBroker(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
    expect(await tokenBroker(['status', '--version'])).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  });

  it.each([
    ['--json connections', '"connections"'],
    ['-s 88 token --header helpdesk', 'Authorization: Bearer'],
    ['--no-color --timeout 10 call -i wfm GET /AgentLogonReport', 'HTTP 200'],
    ['--help token', 'Usage: token-broker token'],
    ['token --json -- wfm', '"access_token"'],
  ])('takes its options anywhere: %s', async (args, printed) => {
    expect(await here(args)).toMatchObject({ code: 0, stdout: expect.stringContaining(printed), stderr: '' });
  });

  it.each([
    ['statsu', 'There is no command "statsu". Did you mean status?'],
    ['tokne wfm', 'Did you mean token?'],
    ['secret sett wfm', 'Did you mean secret set?'],
    ['secret', 'Did you mean secret set?'],
    ['nothing-like-it', 'There is no command "nothing-like-it". There are: token, '],
    ['--jsno status', "Unknown option '--jsno'. Did you mean --json?"],
    ['reject wfm --hsah token', "Unknown option '--hsah'. Did you mean --hash?"],
    ['token wfm --bogus', "Unknown option '--bogus'.\n"],
    ['exec wfm curl -H x', 'Write `--` before the command to run.'],
    ['exec wfm --', 'The command to run is missing'],
    ['completion fihs', 'Did you mean fish?'],
    ['agent', 'such as --connection helpdesk/88'],
  ])('that cannot be meant is told what may be: %s', async (args, told) => {
    expect(await here(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(told) });
  });

  it.each([
    ['statsu', '`token-broker --help` lists everything.'],
    ['reject wfm --hsah token', '`token-broker reject --help` has its options and examples.'],
    ['secret set', '`token-broker secret set --help` has its options and examples.'],
    ['call helpdesk GET jobs', '`token-broker call --help` has its options and examples.'],
  ])('leads to the help of the command, where one is named: %s', async (args, led) => {
    expect((await here(args)).stderr.trimEnd().split('\n').at(-1)).toBe(led);
  });

  it('names the connection that was probably meant', async () => {
    expect(await here('token helpdsek')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/unknown_connection.*\nDid you mean helpdesk\?\n$/),
    });
    expect((await here('exec helpdsek/88 -- true')).stderr).toContain('Did you mean helpdesk?');
    expect((await here('token nothing-like-it')).stderr).toContain('`token-broker connections` lists');
  });
});

describe('`deploy`', () => {
  const nothing = { profile: undefined, region: undefined, stage: undefined, allowsMe: false, isAgreed: false };

  it.each([
    [[], {}],
    [['--stage', 'dev'], { stage: 'dev' }],
    [['--stage=dev', '--yes'], { stage: 'dev', isAgreed: true }],
    [['--allow-me'], { allowsMe: true }],
    [
      ['--context', 'domainName=x', '-c', 'tracing=true', '--context=a=b'],
      { context: ['domainName=x', 'tracing=true', 'a=b'] },
    ],
    [['--profile', 'work', '--region', 'eu-west-1'], { profile: 'work', region: 'eu-west-1' }],
    [
      ['--yes', '--', '--outputs-file', 'out.json', 'TokenBroker'],
      { isAgreed: true, passedOn: ['--outputs-file', 'out.json', 'TokenBroker'] },
    ],
  ])('reads %j, and gives the exit code of the deployment', async (words, meant) => {
    const deployments: DeployOptions[] = [];
    const deploy = async (options: DeployOptions) => deployments.push(options) + 6;
    const { code } = await tokenBroker(['deploy', ...words], { own: { ...ownBroker, deploy } });
    expect(deployments).toEqual([{ ...nothing, context: [], passedOn: [], folder: process.cwd(), ...meant }]);
    expect(code).toBe(7);
  });

  it.each([
    [['--yesterday'], "Unknown option '--yesterday'"],
    [['--allow-men'], 'Did you mean --allow-me?'],
    [['--', '--app=other'], '--app and --output are not for behind'],
    [['TokenBroker'], 'There is an operand too many.'],
  ])('deploys nothing for %j', async (words, said) => {
    const deploy = () => Promise.reject(new Error('deployed'));
    expect(await tokenBroker(['deploy', ...words], { own: { ...ownBroker, deploy } })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(said),
    });
  });
});
