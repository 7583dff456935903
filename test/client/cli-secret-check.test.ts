import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startStub } from './broker-stub.ts';
import { tokenBroker } from './command-line.ts';

const API = 'https://abc123.execute-api.eu-central-1.amazonaws.com/v1';
const CANARY = 'canary-6b02';
const OURS = 'version-ours';

const aws = await startStub();
afterAll(() => aws.close());

/** What Secrets Manager and the broker answer, the last for ever; a string of AWS is a refusal by that name. */
const told = {
  stages: [] as readonly string[],
  labels: {} as Readonly<Record<string, readonly string[]>> | string,
  credential: undefined as object | undefined,
  secret: undefined as string | undefined,
  kept: undefined as string | undefined,
  tries: [] as (Response | Error)[],
};
const operations = () => aws.requests.map(({ headers }) => String(headers['x-amz-target']).split('.')[1]);
const tried: unknown[] = [];

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-key');
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', aws.url);
  aws.requests.length = 0;
  tried.length = 0;
  Object.assign(told, { stages: ['TOKENBROKER_CANDIDATE'], labels: { other: ['AWSCURRENT'] }, kept: undefined });
  Object.assign(told, { credential: { standing: 'proven', takes_candidates: true }, secret: undefined, tries: [] });
  aws.answer((request, response) => {
    const isPut = request.headers['x-amz-target'] === 'secretsmanager.PutSecretValue';
    const refusal = !isPut && typeof told.labels === 'string' ? told.labels : undefined;
    const body = isPut ? { VersionId: OURS, VersionStages: told.stages } : { VersionIdsToStages: told.labels };
    response.writeHead(refusal === undefined ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(refusal === undefined ? body : { __type: refusal }));
  });
  vi.stubGlobal('fetch', async (url: string | URL, init?: RequestInit) => {
    if (new URL(url).pathname === '/v1/connections/desk/try') {
      tried.push(JSON.parse(String(init?.body)));
      const answer = told.tries.length > 1 ? told.tries.shift() : told.tries[0];
      if (answer instanceof Error || answer === undefined) throw answer;
      return answer.clone();
    }
    return Response.json({
      ...{ name: 'desk', provider: 'helpmaster', lifetime_seconds: 900, slots: [] },
      secret_fields: [{ name: 'apiKey', kind: 'text', required: true }],
      subjects: { system: true, users: null },
      ...(told.credential !== undefined && { credential: told.credential }),
      ...(told.secret !== undefined && { secret: told.secret }),
      ...(told.kept !== undefined && { kept_secret: told.kept }),
    });
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const REFUSED = { outcome: 'failed', code: 'upstream_credential_rejected', detail: 'It said no.' };
const answerOf = (candidate: object | undefined, result: object = { outcome: 'published', generation: 2 }) =>
  Response.json({
    ...{ connection: 'desk', subject: 'system', provider: 'helpmaster', derived: [], steps: [] },
    ...(candidate !== undefined && { candidate }),
    result: { retry_after_seconds: null, ...result },
  });
const problemOf = (status: number, code: string, headers: Readonly<Record<string, string>> = {}) =>
  Response.json(
    { type: `urn:token-broker:error:${code}`, title: code, status, detail: code, code, request_id: 'r' },
    { status, headers: { 'content-type': 'application/problem+json', ...headers } },
  );
const check = async (...more: string[]) => {
  const ran = await tokenBroker(['secret', 'set', 'desk', '--check', ...more], { url: API, stdin: `${CANARY}\n` });
  expect(ran.stdout + ran.stderr).not.toContain(CANARY);
  return ran;
};

describe('secret set --check', () => {
  it('puts the value under the broker’s label alone, has it tried, and says that it is current', async () => {
    told.tries = [answerOf({ version_id: OURS, current: true })];
    const { code, stdout } = await check('--json', '--subject', '88');

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ...{ connection: 'desk', secret_id: 'token-broker/desk', version_id: OURS, set: true },
    });
    expect(JSON.parse(aws.requests[0]?.body ?? '{}')).toMatchObject({
      SecretId: 'token-broker/desk',
      VersionStages: ['TOKENBROKER_CANDIDATE'],
    });
    expect(tried).toEqual([{ subject: '88', candidate: true }]);
  });

  it.each([
    ['the one that the broker names, which is not that of another stage', [], 'token-broker-dev/desk'],
    ['the one that the operator names', ['--secret-id', 'mine/desk'], 'mine/desk'],
  ])('puts the value into %s', async (_name, more, secretId) => {
    Object.assign(told, { secret: 'token-broker-dev/desk', tries: [answerOf({ version_id: OURS, current: true })] });
    const { stdout } = await check('--json', ...more);

    expect(JSON.parse(stdout)).toMatchObject({ secret_id: secretId, set: true });
    expect(JSON.parse(aws.requests[0]?.body ?? '{}')).toMatchObject({ SecretId: secretId });
  });

  it('puts an unchecked value into the secret that the broker names', async () => {
    told.secret = 'token-broker-dev/desk';
    const { code } = await tokenBroker(['secret', 'set', 'desk'], { url: API, stdin: `${CANARY}\n` });

    expect(code).toBe(0);
    expect(JSON.parse(aws.requests[0]?.body ?? '{}')).toMatchObject({ SecretId: 'token-broker-dev/desk' });
  });

  it('says why a value is not set, and what the current one is worth', async () => {
    told.tries = [answerOf({ version_id: OURS, current: false }, REFUSED)];
    const failed = { code: 'upstream_credential_rejected', at: new Date().toISOString(), evidence: 'the status 401' };
    told.credential = { standing: 'refused', takes_candidates: true, failed_candidate: failed };
    const { code, stdout, stderr } = await check('--json');

    expect(code).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ set: false });
    expect(stderr).toContain('It said no. (upstream_credential_rejected)');
    expect(stderr).toContain('token-broker/desk is as it was');
    expect(stderr).toContain('by the status 401');
    expect(stderr).toContain('The current one is refused too');
  });

  it('says of the first value of a secret that it is current although it is wrong', async () => {
    Object.assign(told, { stages: ['TOKENBROKER_CANDIDATE', 'AWSCURRENT'], tries: [answerOf(undefined, REFUSED)] });

    expect(await check()).toMatchObject({ code: 5, stderr: expect.stringContaining('It is the first value') });
  });

  it('knows the first value by a look where the answer does not name all labels', async () => {
    Object.assign(told, { labels: { [OURS]: ['AWSCURRENT'] }, tries: [answerOf(undefined)] });

    expect(await check()).toMatchObject({ code: 0, stderr: expect.stringContaining('it is current') });
  });

  it('waits for what passes, and then has it tried', async () => {
    const busy = problemOf(503, 'refresh_in_progress');
    told.tries = [
      busy,
      problemOf(503, 'cooldown', { 'retry-after': '1' }),
      answerOf({ version_id: OURS, current: true }),
    ];

    expect(await check()).toMatchObject({ code: 0 });
    expect(tried).toHaveLength(3);
  });

  it('says that nothing was tried where the wait is too long, and the value stays a candidate', async () => {
    told.tries = [problemOf(503, 'cooldown', { 'retry-after': '900' })];
    const { code, stderr } = await check();

    expect(code).toBe(5);
    expect(stderr).toMatch(/is as it was.*\n.*cooldown, again in 900 s/);
    expect(stderr).not.toContain('Whether it was tried');
    expect(tried).toHaveLength(1);
  });

  it('looks at the labels where the answer is lost: the value became current', async () => {
    Object.assign(told, { tries: [new TypeError('reset')], labels: { other: ['AWSCURRENT'] } });
    const put = aws.requests.length;
    vi.stubGlobal(
      'fetch',
      fetchThat(() => (told.labels = { [OURS]: ['AWSCURRENT'] })),
    );
    const { code, stderr } = await check();

    expect(code).toBe(0);
    expect(stderr).toContain('it is current, which it became only because the upstream takes it');
    expect(operations().slice(put)).toEqual(['PutSecretValue', 'DescribeSecret', 'DescribeSecret']);
  });

  it.each([
    ['the value did not become current', { other: ['AWSCURRENT'] }],
    ['nobody may look', 'AccessDeniedException'],
  ])('says where the answer is lost what stands: %s', async (_, labels) => {
    Object.assign(told, { tries: [new TypeError('reset')], labels });
    const { code, stderr } = await check();

    expect(code).toBe(4);
    expect(stderr).toContain('Whether it was tried is not known. Run the command again');
  });

  it('tells of another operator whose value was tried in place of this one', async () => {
    told.tries = [answerOf({ version_id: 'version-theirs', current: true })];
    const { code, stderr } = await check();

    expect(code).toBe(3);
    expect(stderr).toContain('Theirs was tried and is current now');
    expect(stderr).toContain('Yours was not tried');
  });

  it('finds its value current where another operator’s request has had it tried', async () => {
    told.tries = [problemOf(400, 'invalid_request')];
    vi.stubGlobal(
      'fetch',
      fetchThat(() => (told.labels = { [OURS]: ['AWSCURRENT'] })),
    );

    expect(await check()).toMatchObject({ code: 0, stderr: expect.stringContaining('it is current') });
  });

  it('looks at the labels where the broker does not know that the value became current', async () => {
    told.tries = [answerOf({ version_id: OURS, current: false }, { ...REFUSED, code: 'secret_unavailable' })];
    vi.stubGlobal(
      'fetch',
      fetchThat(() => (told.labels = { [OURS]: ['AWSCURRENT'] })),
    );

    expect(await check()).toMatchObject({ code: 0, stderr: expect.stringContaining('it is current') });
  });

  it('tells of another version that became current meanwhile', async () => {
    told.tries = [answerOf({ version_id: OURS, current: false }, { outcome: 'superseded' })];

    expect(await check()).toMatchObject({ code: 3, stderr: expect.stringContaining('another version became current') });
  });

  it.each([
    ['a credential that rotates', { standing: 'proven', takes_candidates: false }, 'token-broker/desk/kept', 'rotates'],
    ['a login that sends nothing', { standing: 'unproven', takes_candidates: false }, undefined, 'sends nothing'],
    ['a broker that knows no candidates', undefined, undefined, 'deploy it again'],
  ])('puts nothing for %s, and says why', async (_, credential, kept, why) => {
    Object.assign(told, { credential, kept });
    const { code, stderr } = await check('--fields', 'apiKey');

    expect(code).toBe(2);
    expect(stderr).toContain(why);
    expect(aws.requests).toEqual([]);
  });

  it('alone takes a subject', async () => {
    const ran = await tokenBroker(['secret', 'set', 'desk', '-s', '88'], { url: API, stdin: CANARY });

    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('--subject belongs to --check') });
  });
});

/** The same fetch, with work at each try. */
function fetchThat(onTry: () => void): typeof fetch {
  const inner = fetch;
  return async (url, init) => {
    if (String(url).endsWith('/try')) onTry();
    return inner(url, init);
  };
}
