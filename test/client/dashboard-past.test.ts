import { readdir, readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { historyOf, limitsOf, parseHistory } from '../../client/dashboard/history.ts';
import { parseRunbook, RUNBOOKS, readRunbook, runbookByCode } from '../../client/dashboard/runbooks.ts';
import { createTokenBrokerClient } from '../../client/index.ts';
import { statusByCode } from '../../functions/core/words/errors.ts';
import { send } from '../local/demo/demo-client.ts';
import { startStub } from './broker-stub.ts';
import { startDashboardUnderTest } from './dashboard-under-test.ts';
import { startLocalBroker } from './local-broker.ts';

const API = 'https://abc123.execute-api.eu-central-1.amazonaws.com/v1';

describe('a history', () => {
  const now = Date.parse('2026-11-22T10:00:30Z');

  it('has one number for each step, the present one too, and nothing from outside of its span', () => {
    const { from, to } = limitsOf('hour', now);
    expect([from, to].map((at) => new Date(at).toISOString())).toEqual([
      '2026-11-22T09:01:00.000Z',
      '2026-11-22T10:01:00.000Z',
    ]);
    const logins = { connection: 'wfm', kind: 'logins', count: 1 } as const;
    const samples = [from - 1, from, now, now, to].map((at) => ({ ...logins, at }));
    const { connections, step_seconds } = historyOf(samples, { span: 'hour', now, note: '' });
    expect(step_seconds).toBe(60);
    expect(connections).toMatchObject([{ name: 'wfm', codes: {} }]);
    expect(connections[0]?.logins).toEqual([1, ...Array(58).fill(0), 2]);
    expect(connections[0]?.failures).toEqual(Array(60).fill(0));
  });

  it.each([
    ['day', 96],
    ['week', 84],
  ] as const)('of a %s has %i steps, and counts failures by code', (span, steps) => {
    const failed = { connection: 'wfm', kind: 'failures', at: now, count: 2 } as const;
    const samples = [{ ...failed, code: 'upstream_timeout' }, { ...failed, code: 'upstream_timeout' }, failed];
    const [connection] = historyOf(samples, { span, now, note: '' }).connections;
    expect(connection?.failures).toEqual([...Array(steps - 1).fill(0), 6]);
    expect(connection?.codes).toEqual({ upstream_timeout: 4 });
  });

  it('has no connection of which nothing was counted, and codes of failures alone', () => {
    const none = { connection: 'quiet', kind: 'logins', at: now, count: 0 } as const;
    const login = { connection: 'wfm', kind: 'logins', at: now, count: 1, code: 'upstream_timeout' } as const;
    const { connections } = historyOf([none, login], { span: 'hour', now, note: '' });
    expect(connections.map(({ name, codes }) => [name, codes])).toEqual([['wfm', {}]]);
  });
});

describe('the page of npm start and of its dashboard', async () => {
  const broker = await startLocalBroker();
  const dashboard = await startDashboardUnderTest(broker.url);
  afterAll(async () => {
    await dashboard.close();
    await broker.close();
  });

  it.each([
    ['npm start', () => broker.url],
    ['its dashboard', () => dashboard.url],
  ])('%s tells the history of this run', async (_name, url) => {
    await createTokenBrokerClient({ url: broker.url }).token('wfm');
    const { json } = await send(`${url()}/local/history?span=day`);
    expect(json).toMatchObject({ step_seconds: 900, note: expect.stringContaining('since its start') });
    expect(json?.['connections']).toMatchObject([{ name: 'wfm', logins: expect.any(Array) }]);
    expect((await send(`${url()}/local/history`)).json).toMatchObject({ step_seconds: 60 });
    const wrong = await send(`${url()}/local/history?span=year`);
    expect(wrong).toMatchObject({ status: 400, json: { message: expect.stringContaining('hour, day or week') } });
  });

  it('tells who had which token, and never a token', async () => {
    const { token, tokenHash } = await createTokenBrokerClient({ url: broker.url }).token('wfm');
    const query = { span: 'hour', connection: '', subject: '', caller: '', token: '' };
    const all = await dashboard.press('audit', query);
    expect(all.json?.['records']).toContainEqual(expect.objectContaining({ token: tokenHash, connection: 'wfm' }));
    expect(all.text).not.toContain(token);
    expect((await dashboard.press('audit', { ...query, connection: 'helpdesk' })).json).toEqual({ records: [] });
    expect(await dashboard.press('audit', { ...query, token })).toMatchObject({ status: 400 });
    expect(await dashboard.press('audit', { ...query, span: 'ever' })).toMatchObject({ status: 400 });
    expect(await dashboard.press('audit', query, { origin: 'https://elsewhere.example' })).toMatchObject({
      status: 403,
    });
  });

  it('names beside a failure what it rests on and the runbook, whose text it has', async () => {
    await broker.turn('helpmaster', { suspended: true });
    await dashboard.press('hand-out', { connection: 'helpdesk', subject: 'system' });
    const { json } = await dashboard.state();
    const failed = { code: 'upstream_credential_rejected', evidence: expect.any(String) };
    expect(json).toMatchObject({
      connections: [{ slots: [{ last_error: { ...failed, runbook: 'renew-the-credential' } }] }, {}],
    });
    const page = await send(`${dashboard.url}/local/runbooks/renew-the-credential`);
    expect(page.json).toMatchObject({ title: 'Renew the credential', blocks: expect.any(Array) });
    expect((await send(`${dashboard.url}/local/runbooks/..%2f..%2fREADME`)).status).toBe(404);
  });
});

describe('the dashboard of a deployed broker', async () => {
  const aws = await startStub();
  const dashboard = await startDashboardUnderTest(API, ['--broker', 'token-broker-dev']);
  afterAll(async () => {
    await dashboard.close();
    await aws.close();
  });
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-key');
    vi.stubEnv('AWS_ENDPOINT_URL_CLOUDWATCH', aws.url);
    vi.stubEnv('AWS_ENDPOINT_URL_CLOUDWATCH_LOGS', aws.url);
    aws.requests.length = 0;
  });
  afterEach(() => vi.unstubAllEnvs());
  const history = () => send(`${dashboard.url}/local/history?span=hour`);

  it('asks CloudWatch for the broker’s metrics, and puts those of a connection together', async () => {
    // The next minute would have a step of its own.
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const at = Math.floor(Date.now() / 1000);
    const series = (Id: string, Label: string, ...Values: number[]) => ({
      ...{ Id, Label, Values, StatusCode: 'Complete' },
      Timestamps: Values.map(() => at),
    });
    aws.answer(
      {
        body: { MetricDataResults: [series('hand_outs', 'wfm', 2), series('hand_outs', 'wfm', 3)], NextToken: 'more' },
      },
      { body: { MetricDataResults: [series('failures', 'wfm upstream_timeout', 4), series('logins', 'wfm', 1)] } },
    );
    const { json } = await history();
    expect(json).toMatchObject({ note: expect.stringContaining('token-broker-dev in eu-central-1') });
    const [wfm] = parseHistory(json)?.connections ?? [];
    expect([wfm?.name, wfm?.hand_outs.at(-1), wfm?.failures.at(-1)]).toEqual(['wfm', 5, 4]);
    expect(wfm?.codes).toEqual({ upstream_timeout: 4 });
    expect(aws.requests).toHaveLength(2);
    expect(aws.requests[0]?.headers['authorization']).toContain('/eu-central-1/monitoring/');
  });

  it('asks for each metric by the dimensions that the functions write, in steps of the span', async () => {
    aws.answer({ body: { MetricDataResults: [] } });
    await send(`${dashboard.url}/local/history?span=week`);
    const { MetricDataQueries: queries, StartTime, EndTime } = JSON.parse(aws.requests[0]?.body ?? '');
    const search = (dimensions: string, metric: string) =>
      `SEARCH('{"token-broker-dev",${dimensions}} MetricName="${metric}"', 'SampleCount', 7200)`;
    const connection = `\${PROP('Dim.connection')}`;
    expect(queries).toEqual([
      { Id: 'hand_outs', Expression: search('connection', 'HandOuts'), Label: connection },
      { Id: 'logins', Expression: search('connection', 'LoginLatency'), Label: connection },
      { Id: 'slides', Expression: search('connection', 'SlideLatency'), Label: connection },
      {
        ...{ Id: 'failures', Expression: search('service,connection,code', 'BackOffs') },
        Label: `${connection} \${PROP('Dim.code')}`,
      },
    ]);
    expect(EndTime - StartTime).toBe(604_800);
  });

  it('says what it needs where the metrics may not be read', async () => {
    aws.answer({ status: 400, body: { __type: 'AccessDeniedException', message: 'canary' } });
    const { status, text } = await history();
    expect(status).toBe(502);
    expect(text).toContain('cloudwatch:GetMetricData');
    expect(text).not.toContain('canary');
  });

  it('says so where nothing was counted, and how to name another broker', async () => {
    aws.answer({ body: { MetricDataResults: [] } });
    expect((await history()).json).toMatchObject({ connections: [], note: expect.stringContaining('--broker') });
  });

  it('asks the logs who had which token', async () => {
    aws.answer({ body: { queryDefinitions: [] } });
    const query = { span: 'day', connection: '', subject: '', caller: '', token: '' };
    const { status, text } = await dashboard.press('audit', query);
    expect(status).toBe(502);
    expect(text).toContain('token-broker-dev/hand-outs');
  });
});

describe('the runbooks of the page', () => {
  it('are named by codes of the broker, and are all there', async () => {
    expect(Object.keys(runbookByCode).filter((code) => !Object.hasOwn(statusByCode, code))).toEqual([]);
    const files = await readdir('docs/runbooks');
    expect(RUNBOOKS.filter((name) => !files.includes(`${name}.md`))).toEqual([]);
  });

  it('are drawn without a mark of Markdown, and lose no word', async () => {
    for (const file of await readdir('docs/runbooks')) {
      const markdown = await readFile(`docs/runbooks/${file}`, 'utf8');
      const { title, blocks } = parseRunbook(markdown);
      const drawn = blocks.map((block) => {
        if (block.kind === 'table') return block.rows.flat(2);
        return 'items' in block ? block.items.flat() : block.spans;
      });
      const text = [title, ...drawn.map((spans) => spans.map((span) => span.text).join(''))].join(' ');
      const plain = drawn.flat().filter(({ kind }) => kind !== 'code');
      expect([file, plain.filter((span) => /[`#]|\*\*|\]\(/.test(span.text))]).toEqual([file, []]);
      const bare = (words: string) => words.replaceAll(/\]\([^)]*\)|^(?:#+|\d+\.|-) |^[\s|-]+$|[`[\]\s|]|\*\*/gm, '');
      expect([file, bare(text)]).toEqual([file, bare(markdown)]);
    }
  });

  it('have headings, steps that go on after a table, points, tables, code and strong words', () => {
    const page =
      '# Mend it\n\n## What\n\nA [link](a.md) and\n`code`.\n\n- **one**: a\n  b\n- two\n\n   | a | b |\n   |---|---|\n   | `c` | d |\n\n2. second';
    expect(parseRunbook(page)).toEqual({
      title: 'Mend it',
      blocks: [
        { kind: 'heading', spans: [{ kind: 'text', text: 'What' }] },
        {
          kind: 'paragraph',
          spans: [
            { kind: 'text', text: 'A ' },
            { kind: 'text', text: 'link' },
            { kind: 'text', text: ' and ' },
            { kind: 'code', text: 'code' },
            { kind: 'text', text: '.' },
          ],
        },
        {
          kind: 'points',
          items: [
            [
              { kind: 'strong', text: 'one' },
              { kind: 'text', text: ': a b' },
            ],
            [{ kind: 'text', text: 'two' }],
          ],
        },
        {
          kind: 'table',
          rows: [
            [[{ kind: 'text', text: 'a' }], [{ kind: 'text', text: 'b' }]],
            [[{ kind: 'code', text: 'c' }], [{ kind: 'text', text: 'd' }]],
          ],
        },
        { kind: 'steps', first: 2, items: [[{ kind: 'text', text: 'second' }]] },
      ],
    });
  });

  it('are read by name alone', async () => {
    await expect(readRunbook('../README')).rejects.toThrow('no such runbook');
  });
});
