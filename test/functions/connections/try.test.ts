import { afterAll, beforeEach, describe, expect, it } from 'vitest';
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
  },
}));
broker.secrets.put('wrong', { username: demoCommunitySecret.username, password: 'wrong-canary-3fK9aQ' });
afterAll(() => broker.close());
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

  it('leaves a line of who tried, and none with a secret', () => {
    expect(broker.log()).toContainEqual(
      expect.objectContaining({ message: 'A login is tried.', connection: 'wfm', subject: 'system', caller: CALLER }),
    );
  });
});
