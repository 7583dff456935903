import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { timesOf } from '../../../functions/core/slot/lifetime.ts';
import { slotOf } from '../../../functions/core/slot/slot.ts';
import type { Secret } from '../../../functions/core/words/secret.ts';
import { demoCommunitySecret, startDemoCommunity } from '../../../local/demo/community.ts';
import {
  type Answer,
  answeredBy,
  connectionOf,
  failureIn,
  realUpstream,
  secretOf,
  tokenIn,
} from './provider-harness.ts';

const PROVIDER = 'community-web-api';
const subject = 'system';
const timeoutMs = 2_000;
const secret = secretOf(demoCommunitySecret);

const demo = await startDemoCommunity();
const normal = demo.knobs();
afterAll(() => demo.close());
beforeEach(() => {
  demo.setKnobs(normal);
  demo.clearLedger();
});

async function login(change: Parameters<typeof connectionOf>[2] = {}, value: Secret<string> = secret) {
  const { upstream, sent } = realUpstream();
  const connection = connectionOf(PROVIDER, demo.baseUrl, change);
  const outcome = await upstream.login({ connection, subject, secret: value, timeoutMs });
  return { outcome, sent };
}

async function refusal(value?: Secret<string>) {
  const { outcome } = await login({}, value);
  expect(demo.ledger().logins).toHaveLength(1);
  return failureIn(outcome);
}

async function loginTo(answer: Parameters<typeof answeredBy>[0]) {
  const { upstream, sent } = answeredBy(answer);
  const connection = connectionOf(PROVIDER, 'https://wfm.example/api');
  return { outcome: await upstream.login({ connection, subject, secret, timeoutMs }), sent };
}

describe('CommunityWebAPI: a login', () => {
  it('C1, C2: is one POST to AuthenticateEx, with no prior token', async () => {
    const { outcome, sent } = await login();
    tokenIn(outcome);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ method: 'POST', url: `${demo.baseUrl}/AuthenticateEx` });
    expect(Object.keys(sent[0]?.headers ?? {}).map((name) => name.toLowerCase())).not.toContain('wfmsgapikey');
    expect(demo.ledger().logins).toMatchObject([{ subject: 'system', status: 200 }]);
  });

  it.each(['form', 'query', 'json'] as const)('C3: sends l by %s where so configured', async (loginParameter) => {
    demo.setKnobs({ loginTransports: [loginParameter] });
    const { outcome, sent } = await login({ settings: { loginParameter } });
    tokenIn(outcome);
    expect(sent[0]?.url.includes('?l=')).toBe(loginParameter === 'query');
    expect(sent[0]?.body === undefined).toBe(loginParameter === 'query');
  });

  it('C3: sends a form by default, and never probes another way', async () => {
    demo.setKnobs({ loginTransports: ['query'] });
    const { outcome, sent } = await login();
    failureIn(outcome);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(demo.ledger().logins).toHaveLength(1);
  });

  it('C4: encodes l once, as UTF-8', async () => {
    const vector = secretOf({ username: 'svc.api', password: 'p|w&d=+ %#é€' });
    async function sentBy(loginParameter: string) {
      const { upstream, sent } = answeredBy({ body: '{"authToken":"t"}' });
      const connection = connectionOf(PROVIDER, 'https://wfm.example/api', { settings: { loginParameter } });
      tokenIn(await upstream.login({ connection, subject, secret: vector, timeoutMs }));
      return sent[0];
    }
    expect((await sentBy('query'))?.url).toBe(
      'https://wfm.example/api/AuthenticateEx?l=svc.api%7Cp%7Cw%26d%3D%2B%20%25%23%C3%A9%E2%82%AC',
    );
    expect((await sentBy('form'))?.body).toBe('l=svc.api%7Cp%7Cw%26d%3D%2B+%25%23%C3%A9%E2%82%AC');
    expect((await sentBy('json'))?.body).toBe('{"l":"svc.api|p|w&d=+ %#é€"}');
  });

  it('C4: a pipe in the password goes as it is, and a server that splits everywhere rejects it', async () => {
    const credential = { username: 'svc.api', password: 'with|pipe' };
    demo.setKnobs({ credential, pipeSplit: 'first' });
    const { outcome } = await login({}, secretOf(credential));
    tokenIn(outcome);
    expect(outcome).toMatchObject({ warning: expect.stringContaining('`password` holds "|"') });
    expect((await login()).outcome).not.toHaveProperty('warning');
    demo.setKnobs({ pipeSplit: 'all' });
    expect(failureIn((await login({}, secretOf(credential))).outcome).code).toBe('upstream_credential_rejected');
  });

  it.each([
    ['a pipe in the username', { username: 'a|b', password: 'c' }],
    ['an empty username', { username: '', password: 'c' }],
    ['an empty password', { username: 'a', password: '' }],
    ['a control character', { username: 'a', password: 'b\u0000c' }],
    ['a line break', { username: 'a\n', password: 'c' }],
    ['an unpaired surrogate', { username: 'a', password: 'b\ud800' }],
    ['no password', { username: 'a' }],
    ['a number for a password', { username: 'a', password: 1 }],
    ['no object', ['a', 'b']],
  ])('C4: %s is refused before anything is sent', async (_, value) => {
    const { outcome, sent } = await login({}, secretOf(value));
    expect(failureIn(outcome)).toMatchObject({ code: 'secret_invalid', backOff: 'not_judged' });
    expect(sent).toEqual([]);
    expect(demo.ledger().logins).toEqual([]);
  });

  it.each([true, false])('C5 to C10: reads token and attributes, enveloped: %s', async (envelope) => {
    demo.setKnobs({ envelope });
    const { value, attributes, requestStartedAt } = tokenIn((await login()).outcome);
    expect(value.reveal()).toMatch(/^\S{20,}$/);
    expect(attributes).toEqual({
      agentId: 4711,
      userRole: 200,
      userRoleName: 'supervisor',
      userName: 'Service, Api D',
      timeZone: 12,
      language: null,
      asOf: `${new Date(requestStartedAt).toISOString().slice(0, 19)}Z`,
    });
  });

  it.each([
    [100, 'agent'],
    [200, 'supervisor'],
    [300, 'scheduler'],
    [400, 'administrator'],
    [1000, 'superuser'],
    [999, 'unknown'],
    [1001, 'unknown'],
  ])('C7: role %s is %s', async (userRole, userRoleName) => {
    demo.setKnobs({ userRole });
    expect(tokenIn((await login()).outcome).attributes).toMatchObject({ userRole, userRoleName });
  });

  it('C6, C7, C9, C10: attributes absent or of another type are null, and promote nobody', async () => {
    const { outcome } = await loginTo({ body: '{"authToken":"t","userRole":"1000","userName":7,"timeZone":null}' });
    expect(tokenIn(outcome).attributes).toMatchObject({
      agentId: null,
      userRole: null,
      userRoleName: 'unknown',
      userName: null,
      timeZone: null,
      language: null,
    });
  });

  it('C10: a language is passed on once there is one', async () => {
    demo.setKnobs({ language: 'en-AU' });
    expect(tokenIn((await login()).outcome).attributes).toMatchObject({ language: 'en-AU' });
  });

  it('C11: the token is neither trimmed nor parsed', async () => {
    const { outcome } = await loginTo({ body: '\uFEFF{"Data":{"authToken":"a b+/=.c.d"},"Success":true}' });
    expect(tokenIn(outcome).value.reveal()).toBe('a b+/=.c.d');
    expect(failureIn((await loginTo({ body: '{"authToken":" a"}' })).outcome).code).toBe('upstream_invalid_response');
  });

  it('C17: a token lives as long as configured, from the sending on, up to its maximum age', async () => {
    const before = Date.now();
    const { life, requestStartedAt } = tokenIn((await login()).outcome);
    expect(life.seconds).toBe(1200);
    expect(life.exp).toBeUndefined();
    expect(requestStartedAt).toBeGreaterThanOrEqual(before);
    const connection = connectionOf(PROVIDER, demo.baseUrl, { lifetimeSeconds: 1800, maxTokenAgeSeconds: 600 });
    const { expiresAt, issuedAt } = timesOf({ life, requestStartedAt }, connection, slotOf(connection, subject));
    expect(expiresAt - issuedAt).toBe(600_000);
  });
});

describe('CommunityWebAPI: a refusal', () => {
  const wrong = secretOf({ ...demoCommunitySecret, password: 'not the one' });

  it.each(['success-false', 400, 401, 403] as const)('C12: as %s is the credential', async (failure) => {
    demo.setKnobs({ failure });
    const failed = await refusal(wrong);
    expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
    expect(failed.detail).toContain('The user name or password is not valid.');
    expect(failed.detail).not.toContain('LoginException');
  });

  it('C12: as 401 without a body is the credential', async () => {
    const failed = failureIn((await loginTo({ status: 401 })).outcome);
    expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
  });

  it.each<[string, Answer]>([
    ['a 403 in HTML', { status: 403, body: '<html>Blocked</html>' }],
    ['a 400 in HTML', { status: 400, body: '<h1>Bad Request</h1>' }],
    ['a 403 without a body', { status: 403 }],
    ['a 403 in JSON of another shape', { status: 403, body: '{"error":{"code":15}}' }],
    ['a 401 that asks to wait', { status: 401, headers: { 'retry-after': ['3'] } }],
  ])('C12: %s may come from a firewall, and heals by itself', async (_, answer) => {
    const failed = failureIn((await loginTo(answer)).outcome);
    expect(failed).toMatchObject({ code: 'upstream_login_ambiguous', backOff: 'unknown' });
  });

  it('C12: as 500 is ambiguous', async () => {
    demo.setKnobs({ failure: 500 });
    expect(await refusal(wrong)).toMatchObject({ code: 'upstream_login_ambiguous', backOff: 'ambiguous_login' });
  });

  it('C12: a message that repeats the credential is left out', async () => {
    demo.setKnobs({ echoCredentialInMessage: true });
    const failed = await refusal(wrong);
    expect(failed.code).toBe('upstream_credential_rejected');
    expect(failed.detail).not.toContain('not the one');
    expect(failed.detail).not.toContain('svc.api');
    expect(failed.detail).not.toContain('It said');
  });

  it.each([
    ['C5: a token beside Success false', '{"Success":false,"authToken":"t"}'],
    ['Success false and no reason', '{"Success":false,"Data":null,"Message":null}'],
    ['neither token nor message', '{"Success":true,"Data":{}}'],
    ['a message beside Success true', '{"Success":true,"Message":"hello"}'],
    ['an empty answer', ''],
    ['a web page', '<!doctype html><title>Sign in</title>'],
    ['a list', '[]'],
    ['null', 'null'],
  ])('%s is no answer', async (_, body) => {
    const failed = failureIn((await loginTo({ body })).outcome);
    expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
  });

  it.each([
    { status: 403, body: '{"message":"Forbidden"}' },
    { status: 401, body: '{"message":"Unauthorized"}' },
    { status: 403, body: '{"message":"Rate exceeded"}', headers: { 'retry-after': ['3'] } },
  ])("C12: a firewall's %j is no word of the API", async (answer) => {
    const failed = failureIn((await loginTo(answer)).outcome);
    expect(failed).toMatchObject({ code: 'upstream_login_ambiguous', backOff: 'unknown' });
  });

  it.each([404, 405, 409, 415, 418])('%s at login says nothing of the credential', async (status) => {
    const failed = failureIn((await loginTo({ status, body: '{"Success":false,"Message":"no"}' })).outcome);
    expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
  });

  it.each([
    ['a message', { body: '{"Success":false,"Message":"Account is locked out."}' }],
    ['a message with 401', { status: 401, body: '{"Message":"The account is LOCKED"}' }],
    ['423', { status: 423 }],
  ])('a locked account, by %s, is left alone for long', async (_, answer) => {
    const failed = failureIn((await loginTo(answer)).outcome);
    expect(failed).toMatchObject({ code: 'upstream_account_locked', backOff: 'locked' });
  });

  it('a locked account of the demo too', async () => {
    demo.setKnobs({ lockAfter: 1 });
    expect((await refusal(wrong)).code).toBe('upstream_credential_rejected');
    demo.clearLedger();
    expect((await refusal()).code).toBe('upstream_account_locked');
  });
});
