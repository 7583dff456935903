import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Secret } from '../../../functions/core/words/secret.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../../local/demo/helpmaster.ts';
import {
  type Answer,
  answeredBy,
  connectionOf,
  failureIn,
  realUpstream,
  secretOf,
  tokenIn,
} from './provider-harness.ts';

const demo = await startDemoHelpmaster();
const normal = demo.knobs();
afterAll(() => demo.close());
beforeEach(() => {
  demo.setKnobs(normal);
  demo.clearLedger();
});

function login(subject: string, secret: Secret<string> = secretOf(demoHelpmasterSecret), settings = {}) {
  const { upstream, sent } = realUpstream();
  const connection = connectionOf('helpmaster', demo.baseUrl, { settings });
  return upstream.login({ connection, subject, secret, timeoutMs: 2_000 }).then((outcome) => ({ outcome, sent }));
}

async function refusalOf(subject: string, secret?: Secret<string>) {
  const { outcome } = await login(subject, secret);
  expect(demo.ledger().logins).toHaveLength(1);
  return failureIn(outcome);
}

async function refusalBy(answer: Answer, subject: string) {
  const { upstream } = answeredBy(answer);
  const connection = connectionOf('helpmaster', demo.baseUrl);
  return failureIn(await upstream.login({ connection, subject, secret: secretOf(demoHelpmasterSecret), timeoutMs: 1 }));
}

async function actingAs(token: Secret<string>): Promise<unknown> {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const answer: unknown = await (await fetch(`${demo.baseUrl}/jobs/MyOpenJobs`, { headers })).json();
  return answer;
}

describe('HelpMaster: a login', () => {
  it('H3, H7: sends the key alone for the system, and the token acts as HelpMaster System', async () => {
    const { outcome, sent } = await login('system');

    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ method: 'POST', url: `${demo.baseUrl}/user/getsystemtoken` });
    expect(JSON.parse(String(sent[0]?.body))).toEqual(demoHelpmasterSecret);
    expect(await actingAs(tokenIn(outcome).value)).toMatchObject({ actingAs: { name: 'HelpMaster System' } });
    expect(demo.ledger().logins).toMatchObject([{ subject: 'system', status: 200 }]);
  });

  it('H4, H8: sends the PKID as a number for staff, and the token acts as that member', async () => {
    const { outcome, sent } = await login('88');

    expect(JSON.parse(String(sent[0]?.body))).toEqual({ ...demoHelpmasterSecret, loggedInUserPKID: 88 });
    expect(await actingAs(tokenIn(outcome).value)).toMatchObject({ actingAs: { userid: '88' } });
  });

  it('H4: follows the path of the settings, behind the path of the base URL', async () => {
    const { upstream, sent } = answeredBy({ body: '{"token":"abc"}' });
    const settings = { userTokenPath: '/User/GetToken/' };
    const connection = connectionOf('helpmaster', 'https://help.example/api/', { settings });
    await upstream.login({ connection, subject: '1', secret: secretOf(demoHelpmasterSecret), timeoutMs: 1 });
    expect(sent[0]?.url).toBe('https://help.example/api/User/GetToken/');

    const { outcome } = await login('42', undefined, settings);
    tokenIn(outcome);
  });

  it('H5: has no attributes', async () => {
    expect(tokenIn((await login('system')).outcome).attributes).toEqual({});
  });

  it('H2: takes any opaque key, encoded once', async () => {
    const apiKey = '"k€y\\ {subject} $& %7C';
    demo.setKnobs({ credential: { apiKey } });
    tokenIn((await login('88', secretOf({ apiKey }))).outcome);
  });

  it('H15: cannot renew a token', () => {
    const ways = realUpstream().upstream.waysOf(connectionOf('helpmaster', demo.baseUrl));
    expect(ways).toEqual({ keepsClosed: false });
  });
});

describe('HelpMaster: the life of a token', () => {
  it.each([true, false])(
    'H12, H14: exp and Date are read, also with invalid UTF-8 in a claim: %s',
    async (corruptName) => {
      demo.setKnobs({ corruptName, lifetimeSeconds: 86_400 });
      const { life, requestStartedAt } = tokenIn((await login('88')).outcome);
      expect(life.seconds).toBeUndefined();
      expect(life.exp).toBeGreaterThan(requestStartedAt + 86_390_000);
      expect(life.exp).toBeLessThan(requestStartedAt + 86_410_000);
      expect(Math.abs((life.serverDate ?? 0) - requestStartedAt)).toBeLessThan(5_000);
    },
  );

  it("H14: both clock readings are the upstream's own", async () => {
    demo.setKnobs({ clockOffsetSeconds: 600 });
    const { life, requestStartedAt } = tokenIn((await login('88')).outcome);
    expect((life.serverDate ?? 0) - requestStartedAt).toBeGreaterThan(590_000);
    expect((life.exp ?? 0) - (life.serverDate ?? 0)).toBeLessThan(86_410_000);
    demo.setKnobs({ dateHeader: false });
    expect(tokenIn((await login('88')).outcome).life.serverDate).toBeUndefined();
  });

  it('H13: a token that never expires says nothing of its end', async () => {
    demo.setKnobs({ expiry: 'never' });
    expect(tokenIn((await login('88')).outcome).life.exp).toBeUndefined();
  });

  it('H13: the end of the year 9999 is far ahead, not long past', async () => {
    demo.setKnobs({ expiry: 'far-future' });
    expect(tokenIn((await login('88')).outcome).life.exp).toBe(253_402_300_799_000);
  });

  it('exp in milliseconds is taken as such', async () => {
    demo.setKnobs({ expiry: 'milliseconds', lifetimeSeconds: 600 });
    const { life, requestStartedAt } = tokenIn((await login('88')).outcome);
    expect(life.exp).toBeLessThan(requestStartedAt + 610_000);
  });

  it('H14: a token that has already ended is passed on as such', async () => {
    demo.setKnobs({ expiry: 'past' });
    const { life, requestStartedAt } = tokenIn((await login('88')).outcome);
    expect(life.exp).toBeLessThan(requestStartedAt);
  });

  it("H5, H10, H12: the vendor's sample is read, for the member it belongs to", async () => {
    const { upstream } = answeredBy({ body: JSON.stringify({ token: vendorSample() }) });
    const connection = connectionOf('helpmaster', demo.baseUrl);
    const secret = secretOf(demoHelpmasterSecret);
    const own = tokenIn(await upstream.login({ connection, subject: '88', secret, timeoutMs: 1 }));
    expect(own.life).toEqual({ exp: 1_622_548_647_000 });
    const other = failureIn(await upstream.login({ connection, subject: '42', secret, timeoutMs: 1 }));
    expect(other.code).toBe('upstream_subject_mismatch');
  });
});

describe('HelpMaster: a refusal', () => {
  const wrongKey = secretOf({ apiKey: 'another-key' });

  it.each(['system', '88'])('H21: 401 is the credential, for %s', async (subject) => {
    expect(await refusalOf(subject, wrongKey)).toMatchObject({
      code: 'upstream_credential_rejected',
      backOff: 'refused',
    });
  });

  it('H16: so is a suspended key', async () => {
    demo.setKnobs({ suspended: true });
    expect(await refusalOf('88')).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
  });

  it.each([400, 403])('H21: %s with a failMessage refuses the credential of the system', async (loginStatus) => {
    demo.setKnobs({ loginStatus });
    expect(await refusalOf('system')).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
  });

  it('H21: 401 without a body is the credential, for both kinds', async () => {
    for (const subject of ['system', '88']) {
      const failed = await refusalBy({ status: 401 }, subject);
      expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
    }
  });

  it.each<[string, Answer]>([
    ['a 403 in HTML', { status: 403, body: '<html>Blocked</html>' }],
    ['a 400 in HTML', { status: 400, body: '<h1>Bad Request - Invalid Hostname</h1>' }],
    ['a 401 in HTML', { status: 401, body: '<html>' }],
    ['a 403 without a body', { status: 403 }],
    ['a 403 in JSON of another shape', { status: 403, body: '{"message":"Forbidden"}' }],
    ['a 403 that asks to wait', { status: 403, body: '{"message":"Forbidden"}', headers: { 'retry-after': ['3'] } }],
    ['a 401 that asks to wait', { status: 401, headers: { 'retry-after': ['3'] } }],
  ])('H21: %s may come from a firewall, and heals by itself', async (_, answer) => {
    const failed = await refusalBy(answer, 'system');
    expect(failed).toMatchObject({ code: 'upstream_login_ambiguous', backOff: 'unknown' });
    expect(failed.retryAfterMs).toBe(answer.headers === undefined ? undefined : 3_000);
  });

  it.each<[string, Answer]>([
    ['a 403 in HTML', { status: 403, body: '<html>Blocked</html>' }],
    ['a 404 in HTML', { status: 404, body: '<html>' }],
    ['a 401 in JSON of another shape', { status: 401, body: '{"message":"Forbidden"}' }],
    ['a 403 that asks to wait', { status: 403, headers: { 'retry-after': ['3'] } }],
  ])('H10: %s refuses no staff member either', async (_, answer) => {
    expect(await refusalBy(answer, '88')).toMatchObject({ code: 'upstream_login_ambiguous', backOff: 'unknown' });
  });

  it.each([400, 403, 404, 'no-token'] as const)(
    'H10: an unknown member answered with %s is that subject alone',
    async (unknownSubject) => {
      demo.setKnobs({ unknownSubject });
      expect(await refusalOf('7')).toMatchObject({ code: 'upstream_subject_rejected', backOff: 'unknown' });
    },
  );

  it('H10: an unknown member answered with 500 is ambiguous', async () => {
    demo.setKnobs({ unknownSubject: 500 });
    expect(await refusalOf('7')).toMatchObject({ code: 'upstream_login_ambiguous', backOff: 'ambiguous_login' });
  });

  it("H10: another member's token is discarded", async () => {
    demo.setKnobs({ unknownSubject: 'other-user' });
    const failed = await refusalOf('7');
    expect(failed).toMatchObject({ code: 'upstream_subject_mismatch', backOff: 'unknown' });
    expect(JSON.stringify(failed)).not.toContain('eyJ');
  });

  it.each([
    ['88', true],
    [88, true],
    [null, true],
    [undefined, true],
    [89, false],
    ['088', false],
    ['', false],
    [{ toString: 1, valueOf: 1 }, false],
    [['88'], false],
  ])('H10: a token whose userid is %j belongs to 88: %s', async (userid, belongs) => {
    const token = `e30.${Buffer.from(JSON.stringify({ userid })).toString('base64url')}.sig`;
    const { upstream } = answeredBy({ body: JSON.stringify({ token }) });
    const connection = connectionOf('helpmaster', demo.baseUrl);
    const outcome = await upstream.login({ connection, subject: '88', secret: wrongKey, timeoutMs: 1 });
    expect(outcome).toMatchObject(belongs ? { kind: 'token' } : { code: 'upstream_subject_mismatch' });
  });

  it('H10: the userid of a system token is never judged', async () => {
    const { upstream } = answeredBy({ body: JSON.stringify({ token: vendorSample() }) });
    const connection = connectionOf('helpmaster', demo.baseUrl);
    tokenIn(await upstream.login({ connection, subject: 'system', secret: wrongKey, timeoutMs: 1 }));
  });

  it('H19: success false with a failMessage refuses the key of the system', async () => {
    demo.setKnobs({ bodyFailure: true });
    const failed = await refusalOf('system', wrongKey);
    expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
    expect(failed.detail).toContain('The API key is not valid.');
  });

  it('H10, H19: for staff the same cannot be told from a bad PKID', async () => {
    demo.setKnobs({ bodyFailure: true });
    expect(await refusalOf('88', wrongKey)).toMatchObject({ code: 'upstream_subject_rejected', backOff: 'unknown' });
  });

  it('H20: 404 on the system token names the unsupported version', async () => {
    demo.setKnobs({ systemTokenSupported: false });
    const failed = await refusalOf('system');
    expect(failed).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
    expect(failed.detail).toContain('version of HelpMaster does not support system tokens');
  });

  it('a locked account is left alone for long', async () => {
    demo.setKnobs({ locked: true });
    expect(await refusalOf('system')).toMatchObject({ code: 'upstream_account_locked', backOff: 'locked' });
  });

  it.each(['missing', 'empty', 'crlf', 'oversized', 'non-string'] as const)(
    'H5: a token that is %s is not taken',
    async (token) => {
      demo.setKnobs({ token });
      expect(await refusalOf('system')).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
    },
  );

  it.each(['empty', 'crlf', 'oversized', 'non-string'] as const)(
    'H5: neither for staff, where it is %s',
    async (token) => {
      demo.setKnobs({ token });
      expect(await refusalOf('88')).toMatchObject({ code: 'upstream_invalid_response', backOff: 'unknown' });
    },
  );
});

/** The token of the vendor's document: claims with two characters altered, so that one claim is no UTF-8. */
function vendorSample(): string {
  const payload = [
    'eyJqdGkiOiI4MTM5MDBiMy1iZjE2LTRmY2EtYTJkZi0wNjA1MjE1NDc4MmQiLCJ2YWxpZCI6IjEiLCJ1c2VyaWQiOiI4OCIsIm5hbWUiOiJIZWxw',
    'TWFzdGVyIFdlYkFQSSBLZXkgLSBEZXZlbG9wZsdgS2V5ICMxIiwiQVBJUEtJRCI6IjEiLCJBUElLZXkiOiI4NDM1ZDc3MC05MDVmLTQ5ZjAtOWEx',
    'My04ZTUxYWZiOGQwNTQiLCJleHAiOjE2MjI1NDg2NDcsImlzcyI6Imh0dHA6Ly9oZWxwbWFzdGVycHJvLmNvbSIsImF1ZCI6Imh0dHA6Ly9oZWxw',
    'bWFzdGVycHJvLmNvbSJ9',
  ];
  return `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${payload.join('')}.BgPc7A0-zuOqsoLORsVAIgN4ry5LGhc2O9c_jX-DIKc`;
}
