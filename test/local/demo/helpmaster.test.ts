import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DemoUpstream } from '../../../local/demo/demo-upstream.ts';
import { demoHelpmasterSecret, type HelpmasterKnobs, startDemoHelpmaster } from '../../../local/demo/helpmaster.ts';
import { helpmasterCall, helpmasterToken, send, sendJson, systemLogin, userLogin } from './demo-client.ts';

let upstream: DemoUpstream<HelpmasterKnobs>;
beforeEach(async () => {
  upstream = await startDemoHelpmaster();
});
afterEach(() => upstream.close());

const payloadOf = (token: string) => Buffer.from(token.split('.')[1] ?? '', 'base64url');
const claimsOf = (token: string): Record<string, unknown> => JSON.parse(payloadOf(token).toString('utf8'));
const subjects = () => upstream.ledger().logins.map(({ subject, status }) => `${subject} ${status}`);
const actingAs = (json: Record<string, unknown> | undefined) => json?.['actingAs'];

describe('logging in to the demo HelpMaster', () => {
  it('H3, H7: gives a system token that acts as HelpMaster System', async () => {
    const received = await systemLogin(upstream);
    expect(received.status).toBe(200);
    expect(Object.keys(received.json ?? {})).toEqual(['token']);
    const called = await helpmasterCall(upstream, helpmasterToken(received));
    expect(actingAs(called.json)).toEqual({ userid: '0', name: 'HelpMaster System' });
    expect(subjects()).toEqual(['system 200']);
    expect(upstream.ledger().calls[0]).toMatchObject({ subject: 'system', status: 200, method: 'GET' });
  });

  it('H4, H8: gives a staff token that acts as that staff member', async () => {
    const called = await helpmasterCall(upstream, helpmasterToken(await userLogin(upstream, 88)));
    expect(actingAs(called.json)).toMatchObject({ userid: '88' });
    const other = await helpmasterCall(upstream, helpmasterToken(await userLogin(upstream, 42)));
    expect(actingAs(other.json)).toMatchObject({ userid: '42' });
    expect(subjects()).toEqual(['88 200', '42 200']);
    expect(upstream.ledger().calls.map(({ subject }) => subject)).toEqual(['88', '42']);
  });

  it.each(['/User/GetToken/', '/USER/GETTOKEN', '/user/gettoken/'])('H4: takes the path %s', async (path) => {
    const received = await sendJson(upstream.url + path, { ...demoHelpmasterSecret, loggedInUserPKID: 88 });
    expect(claimsOf(helpmasterToken(received))['userid']).toBe('88');
  });

  it('answers 401 to a wrong key, and 405 to another method', async () => {
    expect((await systemLogin(upstream, 'wrong')).status).toBe(401);
    expect((await userLogin(upstream, 88, 'wrong')).status).toBe(401);
    const got = await send(`${upstream.url}/user/gettoken`);
    expect(got.status).toBe(405);
    expect(got.headers.allow).toBe('POST');
    expect(subjects()).toEqual(['system 401', '88 401']);
  });

  it('H4: refuses what is not JSON, no object, without key, or with a PKID in a string', async () => {
    const url = `${upstream.url}/user/gettoken`;
    const body = JSON.stringify({ ...demoHelpmasterSecret, loggedInUserPKID: 88 });
    expect((await send(url, { method: 'POST', body })).status).toBe(415);
    expect((await sendJson(url, [])).status).toBe(400);
    expect((await sendJson(url, { loggedInUserPKID: 88 })).status).toBe(400);
    expect((await userLogin(upstream, '88')).status).toBe(400);
    expect((await userLogin(upstream, undefined)).status).toBe(400);
    expect(subjects()).toEqual(['88 415', 'unknown 400', '88 400', 'unknown 400', 'unknown 400']);
  });

  it('writes no number into the ledger that cannot be a PKID', async () => {
    await userLogin(upstream, -5);
    await userLogin(upstream, 123_456_789_012);
    expect(subjects()).toEqual(['unknown 400', 'unknown 400']);
  });

  it.each([400, 403, 404, 500] as const)('H10: answers %i to an unknown PKID if told so', async (unknownSubject) => {
    upstream.setKnobs({ unknownSubject });
    expect((await userLogin(upstream, 999)).status).toBe(unknownSubject);
    expect((await userLogin(upstream, 88)).status).toBe(200);
  });

  it("H10: answers 200 without a token, or with another user's, to an unknown PKID if told so", async () => {
    upstream.setKnobs({ unknownSubject: 'no-token' });
    const none = await userLogin(upstream, 999);
    expect([none.status, none.json]).toEqual([200, {}]);
    upstream.setKnobs({ unknownSubject: 'other-user' });
    expect(claimsOf(helpmasterToken(await userLogin(upstream, 999)))['userid']).toBe('1');
    expect(subjects()).toEqual(['999 200', '999 200']);
  });

  it('H10: knows the staff it was told of', async () => {
    upstream.setKnobs({ staff: ['999'] });
    expect((await userLogin(upstream, 999)).status).toBe(200);
    expect((await userLogin(upstream, 88)).status).toBe(400);
  });

  it('H16: gives a suspended key no token, while tokens already issued go on', async () => {
    const token = helpmasterToken(await userLogin(upstream, 88));
    upstream.setKnobs({ suspended: true });
    expect((await userLogin(upstream, 88)).status).toBe(401);
    expect((await systemLogin(upstream)).status).toBe(401);
    expect((await helpmasterCall(upstream, token)).status).toBe(200);
  });

  it('H19: refuses with a 200 that says so if told so', async () => {
    upstream.setKnobs({ bodyFailure: true });
    const received = await systemLogin(upstream, 'wrong');
    expect(received.status).toBe(200);
    expect(received.json).toEqual({ success: false, failMessage: expect.any(String) });
    expect(helpmasterToken(await systemLogin(upstream))).toMatch(/^eyJ/);
  });

  it('H20: has no system token in an earlier version', async () => {
    upstream.setKnobs({ systemTokenSupported: false });
    expect((await systemLogin(upstream)).status).toBe(404);
    expect((await userLogin(upstream, 88)).status).toBe(200);
  });
});

describe('the tokens of the demo HelpMaster', () => {
  it("have the claims of the vendor's sample, in its order and types", async () => {
    const token = helpmasterToken(await userLogin(upstream, 88));
    const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString();
    expect(JSON.parse(header)).toEqual({ alg: 'HS256', typ: 'JWT' });
    const claims = claimsOf(token);
    expect(Object.keys(claims)).toEqual(['jti', 'valid', 'userid', 'name', 'APIPKID', 'APIKey', 'exp', 'iss', 'aud']);
    expect(claims).toMatchObject({
      valid: '1',
      userid: '88',
      APIPKID: '1',
      iss: 'http://helpmasterpro.com',
      aud: 'http://helpmasterpro.com',
    });
    expect(claims['APIKey']).toMatch(/^[0-9a-f-]{36}$/);
    expect(claims['APIKey']).not.toBe(demoHelpmasterSecret.apiKey);
  });

  it('have invalid UTF-8 in their name, as the sample has, unless told otherwise', async () => {
    const strict = new TextDecoder('utf-8', { fatal: true });
    const corrupt = payloadOf(helpmasterToken(await userLogin(upstream, 88)));
    expect(corrupt.includes(Buffer.from('Developf\u00c7`Key #1', 'latin1'))).toBe(true);
    expect(() => strict.decode(corrupt)).toThrow();
    upstream.setKnobs({ corruptName: false });
    const whole = payloadOf(helpmasterToken(await userLogin(upstream, 88)));
    expect(strict.decode(whole)).toContain('Developer Key #1');
  });

  it('H11: live 24 hours, or as long as told', async () => {
    const lifeOf = (token: string) => Number(claimsOf(token)['exp']) - Date.now() / 1000;
    expect(lifeOf(helpmasterToken(await systemLogin(upstream)))).toBeCloseTo(86_400, -1);
    upstream.setKnobs({ lifetimeSeconds: 100 });
    expect(lifeOf(helpmasterToken(await systemLogin(upstream)))).toBeCloseTo(100, -1);
  });

  it.each([
    ['never', undefined, 200],
    ['far-future', 253_402_300_799, 200],
  ] as const)('H13: have the expiry %s if told so', async (expiry, exp, status) => {
    upstream.setKnobs({ expiry });
    const token = helpmasterToken(await systemLogin(upstream));
    expect(claimsOf(token)['exp']).toBe(exp);
    expect((await helpmasterCall(upstream, token)).status).toBe(status);
  });

  it('H14: have ended at issue, or an exp in milliseconds, if told so', async () => {
    upstream.setKnobs({ expiry: 'past' });
    const past = helpmasterToken(await systemLogin(upstream));
    expect(Number(claimsOf(past)['exp'])).toBeLessThan(Date.now() / 1000);
    expect((await helpmasterCall(upstream, past)).status).toBe(401);
    upstream.setKnobs({ expiry: 'milliseconds' });
    const milliseconds = helpmasterToken(await systemLogin(upstream));
    expect(Math.abs(Number(claimsOf(milliseconds)['exp']) - Date.now() - 86_400_000)).toBeLessThan(10_000);
  });

  it.each([-600, 600])('H14: have an exp by a clock that is %i seconds off', async (clockOffsetSeconds) => {
    upstream.setKnobs({ clockOffsetSeconds });
    const received = await systemLogin(upstream);
    const exp = Number(claimsOf(helpmasterToken(received))['exp']);
    expect(exp - Date.parse(String(received.headers.date)) / 1000).toBeCloseTo(86_400, -1);
    expect(exp - Date.now() / 1000).toBeCloseTo(86_400 + clockOffsetSeconds, -1);
  });
});

describe('calling the demo HelpMaster', () => {
  it('H6: takes the token only as Authorization: Bearer, unquoted', async () => {
    const token = helpmasterToken(await userLogin(upstream, 88));
    const statusWith = async (authorization: string) =>
      (await send(upstream.url, { path: '/x', headers: { authorization } })).status;
    expect(await statusWith(`Bearer ${token}`)).toBe(200);
    expect(await statusWith(`bearer ${token}`)).toBe(200);
    expect(await statusWith(`Bearer "${token}"`)).toBe(401);
    expect(await statusWith(token)).toBe(401);
    expect(await statusWith('Bearer ')).toBe(401);
  });

  it('answers 401 to no token, a forged one, and an unsigned one', async () => {
    const token = helpmasterToken(await userLogin(upstream, 88));
    const [header, payload, signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(token), userid: '42' })).toString('base64url');
    const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const none = await send(`${upstream.url}/jobs/MyOpenJobs`);
    expect(none.status).toBe(401);
    expect(none.headers['www-authenticate']).toContain('Bearer');
    expect((await helpmasterCall(upstream, `${header}.${forged}.${signature}`)).status).toBe(401);
    expect((await helpmasterCall(upstream, `${unsigned}.${payload}.`)).status).toBe(401);
    expect(upstream.ledger().calls.map(({ subject, status }) => `${subject} ${status}`)).toEqual([
      'unknown 401',
      'unknown 401',
      'unknown 401',
    ]);
  });

  it('repeats any call: method, raw path, query, and the length and hash of the body', async () => {
    const token = helpmasterToken(await userLogin(upstream, 88));
    const received = await send(upstream.url, {
      method: 'PATCH',
      path: '/any//thing/../%2f?a=1&a=2',
      headers: { authorization: `Bearer ${token}`, 'x-mine': 'value' },
      body: 'hello',
    });
    expect(received.json).toMatchObject({
      success: true,
      method: 'PATCH',
      path: '/any//thing/../%2f',
      query: 'a=1&a=2',
      body: { length: 5, sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' },
    });
    expect(received.json?.['headerNames']).toContain('x-mine');
    expect(received.text).not.toContain(token);
    expect(upstream.ledger().calls[0]).toMatchObject({ method: 'PATCH', path: '/any//thing/../%2f' });
  });

  it('answers HEAD without a body', async () => {
    const token = helpmasterToken(await userLogin(upstream, 88));
    const received = await helpmasterCall(upstream, token, '/jobs/MyOpenJobs', 'HEAD');
    expect([received.status, received.body.length]).toEqual([200, 0]);
  });

  it.each(['/jobs/LogJobFromJobTemplate', '/Clients/CreateNewClient'])(
    'H19: %s makes something, or fails inside a 200',
    async (path) => {
      const token = helpmasterToken(await userLogin(upstream, 88));
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const made = await send(upstream.url, { method: 'POST', path, headers, body: '{"subject":"Printer"}' });
      expect(made.json).toMatchObject({ success: true, actingAs: { userid: '88' } });
      const failed = await send(upstream.url, { method: 'POST', path, headers, body: '"no object"' });
      expect(failed.status).toBe(200);
      expect(failed.json).toMatchObject({ success: false, failMessage: expect.any(String) });
    },
  );
});
