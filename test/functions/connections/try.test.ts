import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { CANDIDATE_STAGE } from '../../../functions/adapters/aws/candidates.ts';
import { createSecretsManagerClient } from '../../../functions/adapters/aws/secrets-manager.ts';
import { demoCommunitySecret } from '../../../local/demo/community.ts';
import { demoHelpmasterSecret } from '../../../local/demo/helpmaster.ts';
import { createCanarySearch } from '../../system/canary-forms.ts';
import { CALLER, problemWith, startFunctionsUnderTest } from '../api/functions-under-test.ts';

const broker = await startFunctionsUnderTest(({ helpmaster, community }) => ({
  connections: {
    helpdesk: { provider: 'helpmaster', baseUrl: helpmaster, renewalCooldownSeconds: 0 },
    wfm: { provider: 'community-web-api', baseUrl: community, renewalCooldownSeconds: 0 },
    wrong: { provider: 'community-web-api', baseUrl: community },
    listed: { provider: 'helpmaster', baseUrl: helpmaster, subjects: { staff: ['88'] } },
    tried: { provider: 'helpmaster', baseUrl: helpmaster, memorySeconds: 0 },
    books: { provider: 'oauth-refresh-token', baseUrl: 'https://books.example' },
  },
}));
broker.secrets.put('wrong', { username: demoCommunitySecret.username, password: 'wrong-canary-3fK9aQ' });
const secretsManager = createSecretsManagerClient(broker.environment);
afterAll(async () => {
  secretsManager.destroy();
  await broker.close();
});
beforeEach(() => {
  broker.downstream();
});

const JSON_TYPE = { 'content-type': 'application/json' };
const tryIt = (connection: string, body: unknown = {}, headers: Record<string, string> = JSON_TYPE) =>
  broker.call({ method: 'POST', path: `/connections/${connection}/try`, headers, body: JSON.stringify(body) });

describe('POST /connections/{connection}/try', () => {
  it('logs in by mint, and tells each step, the token’s end, its place and the generation published', async () => {
    const answer = await tryIt('wfm');
    const baseUrl = broker.configuration.connections['wfm']?.baseUrl ?? '';
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      json: {
        connection: 'wfm',
        subject: 'system',
        provider: 'community-web-api',
        derived: expect.any(Array),
        steps: [
          {
            request: { method: 'POST', url: `${baseUrl}/AuthenticateEx` },
            answer: { status: 200 },
            reads: [{ name: 'token', type: 'text', length: expect.any(Number) }],
            judged: { by: 'status', means: 'ok' },
          },
        ],
        token: { end: { by: expect.any(String) }, placed: { headers: { WFMSGAPIKEY: '{token}' } } },
        result: { outcome: 'published', generation: 1 },
      },
    });
    expect(broker.downstream()).toMatchObject({ logins: 1, 'lambda.Invoke': 1 });
    const handOut = await broker.call({ path: '/tokens/wfm/system' });
    expect(handOut.json).toMatchObject({ source: 'cache', generation: 1 });
    const token = String(handOut.json['access_token']);
    const search = createCanarySearch([
      { name: 'token', value: token },
      { name: 'password', value: demoCommunitySecret.password },
      { name: 'pair', value: `${demoCommunitySecret.username}|${demoCommunitySecret.password}` },
    ]);
    expect(search(answer.body)).toEqual([]);
  });

  it('logs in a user', async () => {
    const { json, body } = await tryIt('helpdesk', { subject: '88' });
    expect(json).toMatchObject({ subject: '88', result: { outcome: 'published' } });
    expect(createCanarySearch([{ name: 'key', value: demoHelpmasterSecret.apiKey }])(body)).toEqual([]);
    expect((await broker.call({ path: '/tokens/helpdesk/88' })).json).toMatchObject({ source: 'cache' });
  });

  it('tells how a refusal was judged, and of a second try that it was not made', async () => {
    const answer = await tryIt('wrong');
    expect(answer).toMatchObject({
      status: 200,
      json: {
        steps: [{ judged: { by: 'refusal', means: 'credential' } }],
        result: {
          outcome: 'failed',
          code: 'upstream_credential_rejected',
          detail: expect.any(String),
          retry_after_seconds: expect.any(Number),
        },
      },
    });
    expect(answer.json).not.toHaveProperty('token');
    expect(createCanarySearch([{ name: 'password', value: 'wrong-canary-3fK9aQ' }])(answer.body)).toEqual([]);
    expect(await tryIt('wrong')).toMatchObject(problemWith(503, 'cooldown', { 'retry-after': expect.any(String) }));
    expect(broker.downstream()).toMatchObject({ logins: 1 });
  });

  it('tells of a secret of the wrong shape, and sends nothing', async () => {
    broker.secrets.put('listed', { apiKey: 'two\nlines' });
    expect(await tryIt('listed', { subject: '88' })).toMatchObject({ status: 503, json: { code: 'secret_invalid' } });
    expect(broker.downstream()).not.toHaveProperty('logins');
  });

  it.each<[string, string, unknown, number, string]>([
    ['an unknown connection', 'nowhere', {}, 404, 'unknown_connection'],
    ['what is no subject', 'wfm', { subject: '../x' }, 400, 'invalid_subject'],
    ['a subject that the connection does not list', 'listed', { subject: '89' }, 403, 'forbidden'],
    ['another member', 'wfm', { subject: 'system', force: true }, 400, 'invalid_request'],
    ['a list', 'wfm', [], 400, 'invalid_request'],
    ['a subject that is no text', 'wfm', { subject: 88 }, 400, 'invalid_request'],
    ['a candidate that is no yes or no', 'wfm', { candidate: 'AWSPREVIOUS' }, 400, 'invalid_request'],
  ])('refuses %s, and asks nothing of anybody', async (_, connection, body, status, code) => {
    expect(await tryIt(connection, body)).toMatchObject({ status, json: { code } });
    expect(broker.downstream()).toEqual({});
  });

  it('refuses a body that is no JSON, and other methods', async () => {
    expect(await tryIt('wfm', {}, { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await broker.call({ path: '/connections/wfm/try' })).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
    });
  });

  describe('with a candidate', () => {
    const put = async (connection: string, apiKey: string): Promise<string> => {
      const secret = { SecretId: `token-broker/${connection}`, SecretString: JSON.stringify({ apiKey }) };
      const { VersionId = '' } = await secretsManager.send(
        new PutSecretValueCommand({ ...secret, VersionStages: [CANDIDATE_STAGE] }),
      );
      return VersionId;
    };
    const currentValueOf = (connection: string) => {
      const current = broker.secrets.current(`token-broker/${connection}`);
      return typeof current === 'object' ? current.value : undefined;
    };

    it('tells of a wrong one that it is not current, in names and shapes, and that nothing has changed', async () => {
      const version = await put('tried', 'wrong-canary-8wE2');
      const answer = await tryIt('tried', { candidate: true });
      expect(answer).toMatchObject({
        status: 200,
        json: {
          steps: [{ judged: { means: 'credential' } }],
          candidate: { version_id: version, current: false },
          result: { outcome: 'failed', code: 'upstream_credential_rejected' },
        },
      });
      expect(createCanarySearch([{ name: 'key', value: 'wrong-canary-8wE2' }])(answer.body)).toEqual([]);
      expect(currentValueOf('tried')).toBe(JSON.stringify(demoHelpmasterSecret));
      const { json } = await broker.call({ path: '/connections/tried' });
      const evidence = 'the status 401 with JSON of its own shape, and the refusal in the body';
      const failed = { code: 'upstream_credential_rejected', at: expect.any(String), evidence };
      expect(json['credential']).toMatchObject({ standing: 'unproven', failed_candidate: failed });
      const message = 'A candidate was tried and did not become current.';
      expect(broker.log()).toContainEqual(expect.objectContaining({ message, connection: 'tried', evidence }));
    });

    it('makes one current that the upstream takes, by that version, whoever it is tried for', async () => {
      broker.helpmaster.setKnobs({ credential: { apiKey: 'next-canary-5pT7' } });
      const version = await put('tried', 'next-canary-5pT7');
      const answer = await tryIt('tried', { candidate: true, subject: '88' });
      broker.helpmaster.setKnobs({ credential: demoHelpmasterSecret });
      expect(answer).toMatchObject({
        status: 200,
        json: { subject: '88', candidate: { version_id: version, current: true }, result: { outcome: 'published' } },
      });
      expect(currentValueOf('tried')).toBe('{"apiKey":"next-canary-5pT7"}');
      expect((await broker.call({ path: '/tokens/tried/88' })).json).toMatchObject({ source: 'cache' });
      expect(broker.log()).toContainEqual(
        expect.objectContaining({ message: 'A candidate is tried.', connection: 'tried', caller: CALLER }),
      );
    });

    it('is a mistake where there is none, or where a login would spend it, and sends nothing', async () => {
      expect(await tryIt('helpdesk', { candidate: true })).toMatchObject(problemWith(400, 'invalid_request'));
      expect(await tryIt('books', { candidate: true })).toMatchObject(problemWith(400, 'invalid_request'));
      expect(broker.downstream()).not.toHaveProperty('logins');
    });
  });

  it('leaves a line of who tried, and none with a secret', () => {
    expect(broker.log()).toContainEqual(
      expect.objectContaining({ message: 'A login is tried.', connection: 'wfm', subject: 'system', caller: CALLER }),
    );
    const search = createCanarySearch([
      { name: 'refused candidate', value: 'wrong-canary-8wE2' },
      { name: 'taken candidate', value: 'next-canary-5pT7' },
      { name: 'refused password', value: 'wrong-canary-3fK9aQ' },
      { name: 'password', value: demoCommunitySecret.password },
      { name: 'key', value: demoHelpmasterSecret.apiKey },
    ]);
    expect(search(JSON.stringify(broker.log()))).toEqual([]);
  });
});
