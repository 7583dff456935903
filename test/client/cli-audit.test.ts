import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTokenBrokerClient } from '../../client/index.ts';
import { type StubAnswer, startStub } from './broker-stub.ts';
import { tokenBroker } from './command-line.ts';
import { startLocalBroker } from './local-broker.ts';

const API = 'https://abc123.execute-api.eu-central-1.amazonaws.com';
const [aws, broker] = await Promise.all([startStub(), startLocalBroker()]);
afterAll(() => Promise.all([aws.close(), broker.close()]));

describe('audit, of npm start', () => {
  const audit = (args = '') => tokenBroker(['audit', ...args.split(' ').filter(Boolean)], { url: broker.url });
  const records = async (args = '') => JSON.parse((await audit(`${args} --json`)).stdout).records;

  it('tells who got which token, the latest first, and shows no token', async () => {
    const client = createTokenBrokerClient({ url: broker.url });
    const handOuts = [await client.token('wfm'), await client.token('helpdesk', { subject: '88' })];
    const { code, stdout, stderr } = await audit();
    const [wfm, helpdesk] = handOuts;

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^AT +CALLER +SLOT +TOKEN +GEN +SOURCE +REQUEST\n/);
    expect(stdout.split('\n')[1]).toMatch(
      new RegExp(
        `^20\\S+Z +arn:aws:iam::000000000000:user/local +helpdesk/88 +${helpdesk?.tokenHash} +1 +login +\\S+$`,
      ),
    );
    expect(stdout).toContain(`wfm/system   ${wfm?.tokenHash}`);
    for (const { token } of handOuts) expect(stdout).not.toContain(token);
  });

  it('finds by connection, subject, caller, token hash and time', async () => {
    const { token, tokenHash } = await createTokenBrokerClient({ url: broker.url }).token('wfm');
    const slots = async (args: string) =>
      (await records(args)).map(({ connection, subject }: Record<string, string>) => `${connection}/${subject}`);

    expect(new Set(await slots('helpdesk'))).toEqual(new Set(['helpdesk/88']));
    expect(await slots('helpdesk/system')).toEqual([]);
    expect(new Set(await slots(`--token ${tokenHash}`))).toEqual(new Set(['wfm/system']));
    expect((await slots('--caller user/local')).length).toBeGreaterThan(1);
    expect(await slots('--caller nobody')).toEqual([]);
    expect(await slots('--limit 1')).toHaveLength(1);
    expect((await audit('--limit 1')).stderr).toContain('There may be more');
    expect(await audit('--caller nobody')).toMatchObject({ stdout: '', stderr: expect.stringContaining('--since') });
    expect((await audit()).stdout).not.toContain(token);
  });

  it('tells of hand-outs by the proxy', async () => {
    await createTokenBrokerClient({ url: broker.url }).proxy('wfm', '/AgentLogonReport');
    expect((await records('wfm'))[0]).toMatchObject({ via: 'proxy' });
  });

  it.each([
    ['--since', 'soon', '--since is a duration'],
    ['--since', '2999-01-01', '--since is a duration'],
    ['--token', 'eyJhbGciOiJIUzI1NiJ9', 'and never the token itself'],
    ['--limit', '0', '--limit is a whole number'],
    ['--limit', '10001', '--limit is a whole number'],
  ])('refuses %s %s', async (option, value, told) => {
    const { code, stderr } = await audit(`${option} ${value}`);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(told) });
  });
});

describe('audit, of a deployed broker', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-key');
    vi.stubEnv('AWS_ENDPOINT_URL_CLOUDWATCH_LOGS', aws.url);
    aws.requests.length = 0;
  });
  afterEach(() => vi.unstubAllEnvs());

  const audit = (args: string) => tokenBroker(['audit', ...args.split(' ')], { url: API });
  const definition = (name: string) => ({ name, queryString: 'x', logGroupNames: [`${name}-log`] });
  const definitions: StubAnswer = {
    body: { queryDefinitions: ['token-broker/hand-outs-old', 'token-broker/hand-outs'].map(definition) },
  };
  const started: StubAnswer = { body: { queryId: 'q-1' } };
  const row = {
    ...{ at: '2026-11-22T10:00:00.000Z', caller: 'arn:aws:sts::1:assumed-role/deploy/x', connection: 'wfm' },
    ...{ subject: 'system', token: '3ac9d2f10b7e', generation: '7', source: 'cache', requestId: 'r-1' },
  };
  const fieldsOf = (record: object) =>
    Object.entries(record).map(([name, value]) => ({ field: `audit.${name}`, value }));
  const results = (status: string, rows: readonly object[] = []): StubAnswer => ({
    body: { status, results: rows.map((record) => [...fieldsOf(record), { field: '@ptr', value: 'p' }]) },
  });
  const asked = (operation: string) =>
    aws.requests
      .filter(({ headers }) => headers['x-amz-target'] === `Logs_20140328.${operation}`)
      .map(({ body }) => JSON.parse(body));

  it('asks the logs that the saved query names, and waits for the result', async () => {
    aws.answer(definitions, started, results('Running'), results('Complete', [row, { ...row, via: 'proxy' }, {}]));
    const { code, stdout } = await audit('wfm --since 2h --caller a"b\\c --token 3ac9d2f10b7e --json');

    expect(code).toBe(0);
    expect(JSON.parse(stdout).records).toEqual([
      { ...row, generation: 7 },
      { ...row, generation: 7, via: 'proxy' },
    ]);
    expect(aws.requests[0]?.headers['authorization']).toContain('/eu-central-1/logs/');
    const [query] = asked('StartQuery');
    expect(query).toMatchObject({ logGroupNames: ['token-broker/hand-outs-log'], limit: 100 });
    expect(query.endTime - query.startTime).toBeGreaterThanOrEqual(7200);
    expect(query.queryString).toContain(
      '| filter audit.connection = "wfm" | filter audit.token = "3ac9d2f10b7e" | filter audit.caller like "a\\"b\\\\c" |',
    );
  });

  it('asks every saved query of a broker with many logs, and gives the latest of all', async () => {
    const many = ['token-broker/hand-outs', 'token-broker/hand-outs/2', 'token-broker/hand-outs-old'];
    const at = (minute: string) => ({ ...row, at: `2026-11-22T10:${minute}:00.000Z` });
    aws.answer(
      { body: { queryDefinitions: many.map(definition) } },
      ...[started, started],
      results('Complete', [at('03'), at('01')]),
      results('Complete', [at('04'), at('02')]),
    );
    const { stdout } = await audit('wfm --limit 3 --json');

    expect(asked('StartQuery').map(({ logGroupNames }) => logGroupNames)).toEqual([
      ['token-broker/hand-outs-log'],
      ['token-broker/hand-outs/2-log'],
    ]);
    expect(JSON.parse(stdout).records.map((record: { at: string }) => record.at.slice(14, 16))).toEqual([
      '04',
      '03',
      '02',
    ]);
  });

  it('asks the broker that --broker names', async () => {
    aws.answer(definitions);
    const { code, stderr } = await audit('--broker token-broker-dev');
    expect(asked('DescribeQueryDefinitions')).toEqual([{ queryDefinitionNamePrefix: 'token-broker-dev/hand-outs' }]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining('no saved query token-broker-dev/hand-outs'),
    });
  });

  it('says what it needs where the logs may not be read', async () => {
    aws.answer({ status: 400, body: { __type: 'AccessDeniedException', message: 'canary' } });
    const { code, stderr } = await audit('wfm');
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('logs:StartQuery') });
    expect(stderr).not.toContain('canary');
  });

  it('gives up a query that takes too long, and stops it', async () => {
    aws.answer(definitions, started, results('Running'));
    expect(await audit('wfm --timeout 0.7')).toMatchObject({ code: 4, stderr: expect.stringContaining('--timeout') });
    expect(asked('StopQuery')).toEqual([{ queryId: 'q-1' }]);
  });

  it('tells of a query that failed', async () => {
    aws.answer(definitions, started, results('Failed'));
    expect(await audit('wfm')).toMatchObject({ code: 5, stderr: expect.stringContaining('Failed') });
  });
});
