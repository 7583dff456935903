import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commands } from '../../client/cli/run.ts';
import { createTokenBrokerClient } from '../../client/index.ts';
import { makeFolder } from '../system/own-broker.ts';
import { handOutBody, problem, startStub } from './broker-stub.ts';
import { type Surroundings, tokenBroker } from './command-line.ts';
import { startLocalBroker } from './local-broker.ts';

const [broker, stub] = await Promise.all([startLocalBroker(), startStub()]);
afterAll(() => Promise.all([broker.close(), stub.close()]));

const here = (args: string, surroundings: Surroundings = {}) =>
  tokenBroker(args.split(' '), { url: broker.url, ...surroundings });
const currentToken = async () => (await createTokenBrokerClient({ url: broker.url }).token('wfm')).token;

describe('help', () => {
  it.each(commands.map(({ name }) => name))('%s --help: usage, options and examples, on stdout', async (name) => {
    for (const args of [
      [...name.split(' '), '--help'],
      ['help', ...name.split(' ')],
    ]) {
      const { code, stdout, stderr } = await tokenBroker(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`Usage: token-broker ${name}`);
      expect(stdout).toContain(`  token-broker ${name}`);
      expect(stdout).toContain('--json');
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(130);
    }
  });

  it('lists every command, every exit code and the common options', async () => {
    const { code, stdout } = await tokenBroker(['--help']);
    expect(code).toBe(0);
    for (const { name } of commands) expect(stdout).toContain(`  ${name}`);
    for (const number of [0, 1, 2, 3, 4, 5, 6, 7, 8, 130]) expect(stdout).toMatch(new RegExp(`^ +${number} `, 'm'));
  });

  it('goes to stderr, with exit code 2, where nothing was asked', async () => {
    expect(await tokenBroker([])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('token', () => {
  it('prints the token alone', async () => {
    const { code, stdout, stderr } = await here('token wfm');
    expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: `${await currentToken()}\n` });
  });

  it('prints it as a header, as a line for eval, and as the hand-out', async () => {
    const token = await currentToken();
    expect((await here('token wfm --header')).stdout).toBe(`WFMSGAPIKEY: ${token}\n`);
    expect((await here('token wfm --env WFM_TOKEN')).stdout).toBe(`export WFM_TOKEN='${token}'\n`);
    expect(JSON.parse((await here('token wfm --json')).stdout)).toMatchObject({
      access_token: token,
      connection: 'wfm',
    });
    expect((await here('token helpdesk -s 88 --header')).stdout).toMatch(/^Authorization: Bearer \S+\n$/);
  });
});

describe('connections and status', () => {
  it('lists what there is', async () => {
    const { code, stdout } = await here('connections');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAME +PROVIDER +LIFETIME\nhelpdesk +helpmaster +1 d\nwfm +community-web-api +20 m\n$/);
    expect(JSON.parse((await here('connections --json')).stdout)).toMatchObject({
      connections: [{ name: 'helpdesk' }, { name: 'wfm' }],
    });
  });

  it('draws the life left, without escape sequences where nobody looks', async () => {
    await currentToken();
    const { stdout } = await here('status wfm');
    expect(stdout).toMatch(/wfm +system +fresh +#+\|#+ +19 m \d+ s/);
    expect(stdout).not.toContain('\u001b');
  });

  it('draws it in colour on a terminal, and not with NO_COLOR, --no-color or TERM=dumb', async () => {
    const environment = { LANG: 'C.UTF-8' };
    const terminal = { isTTY: true, columns: 160 };
    expect((await here('status', { ...terminal, environment })).stdout).toContain('\u001b[32m█');
    expect((await here('status --no-color', { ...terminal, environment })).stdout).not.toContain('\u001b');
    expect(
      (await here('status', { ...terminal, environment: { ...environment, NO_COLOR: '1' } })).stdout,
    ).not.toContain('\u001b');
    expect((await here('status', { ...terminal, environment: { ...environment, TERM: 'dumb' } })).stdout).toMatch(/#/);
  });

  it('fits a terminal of 120 columns, with an error in it', async () => {
    await broker.turn('helpmaster', { loginStatus: 401 });
    await here('token helpdesk');
    const { stdout } = await here('status', { isTTY: true, columns: 120, environment: { NO_COLOR: '1' } });
    await broker.turn('helpmaster', { loginStatus: null });
    await here('purge helpdesk');
    expect(stdout).toContain('upstream_credential_rejected');
    for (const line of stdout.split('\n')) expect([...line].length).toBeLessThanOrEqual(120);
  });

  it('--watch looks again until it is interrupted, and gives the cursor back', async () => {
    const controller = new AbortController();
    const { code, stdout } = await here('status wfm --watch --every 0.01', {
      isTTY: true,
      interruption: controller.signal,
      onOutput: (text) => {
        if (text.split('CONNECTION').length > 4) controller.abort();
      },
    });
    expect(code).toBe(0);
    expect(stdout.startsWith('\u001b[?25l')).toBe(true);
    expect(stdout.endsWith('\u001b[?25h')).toBe(true);
  });

  it('--watch --json prints one line a look', async () => {
    const controller = new AbortController();
    const { stdout } = await here('status --watch --json --every 0.01', {
      interruption: controller.signal,
      onOutput: (text) => {
        if (text.split('\n').length > 3) controller.abort();
      },
    });
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('connections');
  });
});

describe('call', () => {
  it('prints the body of the answer, and no token', async () => {
    const { code, stdout, stderr } = await here('call wfm get /AgentLogonReport?a=b');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ method: 'GET', query: 'a=b' });
    expect(stdout).not.toContain(await currentToken());
  });

  it('sends a body from an argument, a file and stdin', async () => {
    await using folder = await makeFolder();
    const file = join(folder.path, 'body.json');
    await writeFile(file, '{"a":1}');
    for (const data of ['{"a":1}', `@${file}`, '@-']) {
      const { stdout } = await here(`call wfm POST /AgentLogonReport -d ${data}`, { stdin: '{"a":1}' });
      expect(JSON.parse(stdout)).toMatchObject({ method: 'POST', body: { length: 7 } });
    }
  });

  it('prints status and headers with -i, and everything as JSON', async () => {
    const included = await tokenBroker(['call', 'wfm', 'GET', '/AgentLogonReport', '-i', '-H', 'Accept: text/csv'], {
      url: broker.url,
    });
    expect(included.stdout).toMatch(/^HTTP 200\n[\s\S]*content-type: [\s\S]*\n\n\{/);
    const json = JSON.parse((await here('call wfm GET /AgentLogonReport --json')).stdout);
    expect(json).toMatchObject({
      status: 200,
      headers: { 'content-type': expect.any(String) },
      body: expect.any(String),
    });
  });

  it('ends with 7 where the upstream answers 400 or above, its answer on stdout', async () => {
    await broker.turn('community', { callStatus: 500 });
    const { code, stdout, stderr } = await here('call wfm GET /AgentLogonReport');
    await broker.turn('community', { callStatus: null });
    expect(code).toBe(7);
    expect(stdout).not.toBe('');
    expect(stderr).toContain('500');
  });
});

describe('reject and purge', () => {
  it('takes the token from stdin, has it renewed once, and shows token hashes only', async () => {
    const token = await currentToken();
    const counted = await broker.counting('community');
    const first = await here('reject wfm', { stdin: `${token}\n` });
    const second = await here('reject wfm --json', { stdin: token });
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f]{12} {2}generation \d+\n$/) });
    expect(first.stderr).toContain('renewed by a login');
    expect(JSON.parse(second.stdout)).toMatchObject({ source: 'cache' });
    expect(await counted()).toMatchObject({ logins: 1 });
    for (const said of [first, second]) expect(said.stdout + said.stderr).not.toContain(await currentToken());
  });

  it.each(['login', 'slide', 'refresh'])('says that it was renewed by a %s', async (source) => {
    stub.answer({ body: handOutBody('new', Date.now(), { source }) });
    const { stderr } = await tokenBroker(['reject', 'wfm'], { url: stub.url, stdin: 'old' });
    expect(stderr).toContain(`was renewed by a ${source}.`);
  });

  it('asks for the token on a terminal without showing it, and takes corrections', async () => {
    const hash = createHash('sha256').update('abc').digest('hex').slice(0, 12);
    const { code, stdout, stderr } = await here('reject wfm', { typed: ['xx\u0015abd', '\u007f', 'c\r'] });
    expect(code).toBe(0);
    expect(stderr).toContain(hash);
    expect(stdout + stderr).not.toMatch(/abd|xx/);
  });

  it('ends with 130 for Ctrl-C at the prompt', async () => {
    expect(await here('reject wfm', { typed: ['ab\u0003'] })).toMatchObject({ code: 130, stdout: '' });
  });

  it('purges a slot, also one that is not there', async () => {
    await currentToken();
    expect(await here('purge wfm')).toMatchObject({ code: 0, stdout: '' });
    expect(await here('purge wfm --json')).toMatchObject({
      code: 0,
      stdout: '{"connection":"wfm","subject":"system","purged":true}\n',
    });
    expect((await here('status wfm')).stdout).toContain('empty');
  });
});

it('shows no token with any command but `token`, on stdout or stderr', async () => {
  const token = await currentToken();
  const lines = [
    'connections',
    'status',
    'status --json',
    'call wfm GET /AgentLogonReport -i',
    'call wfm GET /nope --json',
  ];
  const said = await Promise.all([...lines, 'doctor', 'reject wfm --json'].map((line) => here(line, { stdin: 'x' })));
  said.push(await tokenBroker(['call', 'wfm', 'GET', '/x', '-H', `WFMSGAPIKEY: ${token}`], { url: broker.url }));
  said.push(await tokenBroker(['reject', 'wfm'], { url: stub.url, stdin: token }));
  for (const { stdout, stderr } of said) expect(stdout + stderr).not.toContain(token);
});

describe('exit codes', () => {
  it.each([
    ['an unknown command', ['nope']],
    ['an unknown option', ['token', 'wfm', '--bogus']],
    ['a missing operand', ['token']],
    ['an operand too many', ['token', 'wfm', '88']],
    ['an option without its value', ['token', 'wfm', '--subject']],
    ['two ways to print', ['token', 'wfm', '--json', '--header']],
    ['a variable that is none', ['token', 'wfm', '--env', 'A B']],
    ['a min-ttl that is none', ['token', 'wfm', '--min-ttl', 'soon']],
    ['a timeout that is none', ['token', 'wfm', '--timeout', '0']],
    ['a URL that is none', ['token', 'wfm', '--url', 'nowhere']],
    ['plain http to elsewhere', ['token', 'wfm', '--url', 'http://example.com']],
    ['a connection that cannot be', ['token', '../x']],
    ['a subject that cannot be', ['token', 'wfm', '-s', '../x']],
    ['a hash that is none', ['reject', 'wfm', '--hash', 'abc']],
    ['no token on stdin', ['reject', 'wfm']],
    ['a method that is none', ['call', 'wfm', 'G ET', '/x']],
    ['a path that is none', ['call', 'wfm', 'GET', 'x']],
    ['a header that is none', ['call', 'wfm', 'GET', '/x', '-H', 'x']],
    ['a body for GET', ['call', 'wfm', 'GET', '/x', '-d', 'x']],
    ['a file that is not there', ['call', 'wfm', 'POST', '/x', '-d', '@/nowhere/at/all']],
    ['an interval that is none', ['status', '--every', '0']],
    ['a secret of npm start', ['secret', 'set', 'wfm']],
    ['a variable of exec that is none', ['exec', 'wfm', '--env', 'A-B', '--', 'true']],
    ['a slot that cannot be', ['exec', 'wfm/a/b', '--', 'true']],
    ['an agent of a slot that cannot be', ['agent', '-c', 'wfm/../x']],
    ['an agent at two places', ['agent', '-c', 'wfm', '--port', '0', '--socket', 'x']],
    ['an agent at a port that is none', ['agent', '-c', 'wfm', '--port', '70000']],
  ])('2 for %s, before anything is sent', async (_name, args) => {
    const before = stub.requests.length;
    const { code, stdout, stderr } = await tokenBroker(args, { url: stub.url });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(args.includes('--json') ? /^\{"error":\{"kind":"usage"/ : /^token-broker: /);
    expect(stderr).not.toContain('    at ');
    expect(stub.requests.length).toBe(before);
  });

  it('leads from a secret of `npm start` to --check, since the demo has no file of secrets', async () => {
    const { stderr } = await tokenBroker(['secret', 'set', 'wfm'], { url: stub.url });
    expect(stderr).toMatch(/With --check it tries .* its file of --secrets, if it has one\./);
  });

  it.each([
    [3, 'a refusal of the broker', problem(404, 'unknown_connection')],
    [3, 'a refusal of its API', { status: 403, body: { message: 'Forbidden' } }],
    [3, 'a throttled renewal', problem(429, 'renewal_throttled', { 'retry-after': '50' })],
    [4, 'an answer that is none', { body: '<html></html>' }],
    [
      4,
      'a connection that breaks off',
      (_request: unknown, response: { destroy(): unknown }) => void response.destroy(),
    ],
    [5, 'a refused credential', problem(502, 'upstream_credential_rejected')],
    [5, 'a cooldown', problem(503, 'cooldown', { 'retry-after': '600' })],
    [5, 'a fault of the API', { status: 500, body: { message: 'Internal Server Error' } }],
  ] as const)('%i for %s', async (expected, _name, answer) => {
    stub.answer(answer);
    expect(await tokenBroker(['token', 'wfm'], { url: stub.url })).toMatchObject({ code: expected, stdout: '' });
  });

  it('4 where nothing answers in time', async () => {
    stub.answer(() => undefined);
    expect(await tokenBroker(['token', 'wfm', '--timeout', '0.2'], { url: stub.url })).toMatchObject({
      code: 4,
      stdout: '',
    });
  });

  it('tells code, request and remedy, as JSON where asked', async () => {
    stub.answer(problem(503, 'cooldown', { 'retry-after': '600' }));
    const told = await tokenBroker(['token', 'wfm'], { url: stub.url });
    expect(told.stderr).toContain('About cooldown. (cooldown, again in 600 s, request req-1)');
    expect(told.stderr).toContain('token-broker status');
    const json = await tokenBroker(['token', 'wfm', '--json'], { url: stub.url });
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: 'cooldown', status: 503, retry_after_ms: 600_000 },
    });
  });

  it.each([
    ['an unknown command', ['nope', '--json']],
    ['an unknown option', ['token', 'wfm', '--bogus', '--json']],
    ['a URL that is none', ['token', 'wfm', '--json', '--url', 'nowhere']],
  ])('tells %s as JSON where asked', async (_name, args) => {
    const { code, stdout, stderr } = await tokenBroker(args, { url: stub.url });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: { kind: 'usage', code: 'usage', detail: expect.stringMatching(/\w/) },
    });
  });

  it('puts no control characters of a broker’s into the terminal', async () => {
    stub.answer({ status: 400, body: { code: 'x\u001b[2J', detail: 'a\u001b]0;title\u0007b' } });
    const { stderr } = await tokenBroker(['token', 'wfm'], { url: stub.url });
    expect(stderr).not.toContain('\u001b');
    expect(stderr).not.toContain('\u0007');
  });
});
