import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommunityKnobs, demoCommunitySecret, startDemoCommunity } from '../../../local/demo/community.ts';
import type { DemoUpstream } from '../../../local/demo/demo-upstream.ts';
import { communityCall, communityLogin, communityToken, type Received, send, sendJson } from './demo-client.ts';

let upstream: DemoUpstream<CommunityKnobs>;
beforeEach(async () => {
  upstream = await startDemoCommunity();
});
afterEach(() => upstream.close());

const GOOD = `${demoCommunitySecret.username}|${demoCommunitySecret.password}`;
const succeeded = (received: Received) => received.json?.['Success'] === true;

const loginBy = {
  query: () => send(`${upstream.baseUrl}/AuthenticateEx?l=${encodeURIComponent(GOOD)}`, { method: 'POST' }),
  form: () => communityLogin(upstream),
  json: () => sendJson(`${upstream.baseUrl}/AuthenticateEx`, { l: GOOD }),
};

describe('logging in to the demo CommunityWebAPI', () => {
  it('C2: has the base path of the vendor', () => {
    expect(upstream.baseUrl).toBe(`${upstream.url}/CommunityWebApi/api`);
  });

  it.each(['query', 'form', 'json'] as const)('C3: takes l by %s, and not when told so', async (transport) => {
    expect(succeeded(await loginBy[transport]())).toBe(true);
    const others = (['query', 'form', 'json'] as const).filter((other) => other !== transport);
    upstream.setKnobs({ loginTransports: others });
    expect(succeeded(await loginBy[transport]())).toBe(false);
    for (const other of others) expect(succeeded(await loginBy[other]())).toBe(true);
  });

  it('C3: writes no query into the ledger, since it holds the password', async () => {
    await loginBy.query();
    await send(`${upstream.baseUrl}/x?l=${encodeURIComponent(GOOD)}`);
    expect(JSON.stringify(upstream.ledger())).not.toContain('l=');
    expect(upstream.ledger().logins).toHaveLength(1);
  });

  it('C3: refuses L for l', async () => {
    expect(succeeded(await sendJson(`${upstream.baseUrl}/AuthenticateEx`, { L: GOOD }))).toBe(false);
    expect(upstream.ledger().logins[0]?.subject).toBe('unknown');
  });

  it('C4: decodes l once, in UTF-8, by the vectors', async () => {
    upstream.setKnobs({ credential: { username: 'svc.api', password: 'p|w&d=+ %#é€' } });
    const query = 'svc.api%7Cp%7Cw%26d%3D%2B%20%25%23%C3%A9%E2%82%AC';
    const url = `${upstream.baseUrl}/AuthenticateEx`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(succeeded(await send(`${url}?l=${query}`, { method: 'POST' }))).toBe(true);
    const form = `l=${query.replace('%20', '+')}`;
    expect(succeeded(await send(url, { method: 'POST', headers, body: form }))).toBe(true);
    const twice = `l=${encodeURIComponent(query)}`;
    expect(succeeded(await send(url, { method: 'POST', headers, body: twice }))).toBe(false);
  });

  it.each([
    ['first', 'a', 'b|c', true],
    ['first', 'a|b', 'c', false],
    ['last', 'a|b', 'c', true],
    ['last', 'a', 'b|c', false],
    ['all', 'a', 'b', true],
    ['all', 'a', 'b|c', false],
  ] as const)(
    'C4: splitting at %s, takes user %j with password %j from a|b|c: %s',
    async (pipeSplit, username, password, taken) => {
      upstream.setKnobs({ pipeSplit, credential: { username, password } });
      expect(succeeded(await communityLogin(upstream, 'a|b|c'))).toBe(taken);
    },
  );

  it('C5 to C11: answers six attributes under Data, or flat if told so', async () => {
    const attributes = {
      agentId: 4711,
      userRole: 200,
      userName: 'Service, Api D',
      timeZone: 12,
      language: null,
      authToken: expect.any(String),
    };
    const enveloped = { Success: true, Data: attributes, Message: null, ExceptionResult: null };
    expect((await communityLogin(upstream)).json).toEqual(enveloped);
    upstream.setKnobs({ envelope: false });
    expect((await communityLogin(upstream)).json).toEqual(attributes);
  });

  it('C6 to C10: answers the attributes it was told', async () => {
    const told = { agentId: 1, userRole: 1000, userName: 'Last, First M', timeZone: 3, language: 'en' };
    upstream.setKnobs(told);
    expect((await communityLogin(upstream)).json?.['Data']).toMatchObject(told);
  });

  it('C11: gives an opaque token with characters that need care, new each time', async () => {
    const tokens = [communityToken(await communityLogin(upstream)), communityToken(await communityLogin(upstream))];
    for (const token of tokens) expect(token).toMatch(/^(?=.*\+)(?=.*\/)[A-Za-z0-9+/]+={1,2}$/);
    expect(tokens[0]).not.toBe(tokens[1]);
  });

  it.each(['wrong', 'svc.api', 'svc.api|', '|', '', 'svc.api|wrong'])('C12: refuses %j inside a 200', async (l) => {
    const received = await communityLogin(upstream, l);
    expect(received.status).toBe(200);
    expect(received.json).toMatchObject({ Success: false, Data: null, Message: expect.any(String) });
    expect(received.json?.['ExceptionResult']).toContain(' at ');
    expect(received.headers['wfmsgapikey']).toBeUndefined();
  });

  it.each([400, 401, 403, 500] as const)('C12: refuses by %i with a message if told so', async (failure) => {
    upstream.setKnobs({ failure });
    const received = await communityLogin(upstream, 'svc.api|wrong');
    expect(received.status).toBe(failure);
    expect(received.json?.['Message']).toEqual(expect.any(String));
    expect(succeeded(await communityLogin(upstream))).toBe(true);
  });

  it('C12: echoes l in its message only if told so, and never in the ledger', async () => {
    expect((await communityLogin(upstream, 'svc.api|guess')).text).not.toContain('guess');
    upstream.setKnobs({ echoCredentialInMessage: true });
    expect((await communityLogin(upstream, 'svc.api|guess')).json?.['Message']).toContain('svc.api|guess');
    expect(JSON.stringify(upstream.ledger())).not.toContain('guess');
  });
});

describe('calling the demo CommunityWebAPI', () => {
  it('C1: gates everything but the login and the version checker, which gives no token', async () => {
    const version = await send(`${upstream.baseUrl}/Version`);
    expect([version.status, version.headers['wfmsgapikey']]).toEqual([200, undefined]);
    const token = communityToken(await communityLogin(upstream));
    expect((await communityCall(upstream, token, '/Version')).headers['wfmsgapikey']).toBeUndefined();
    for (const path of ['/SingleRecurringEvent', '/AgentLogonReport', '/any/other', '/Versions']) {
      expect((await send(upstream.baseUrl + path)).status).toBe(401);
    }
    expect(upstream.ledger().calls).toHaveLength(4);
    expect((await send(`${upstream.url}/elsewhere`)).status).toBe(404);
    expect((await send(`${upstream.baseUrl}/AuthenticateEx`)).status).toBe(405);
  });

  it('C14: takes the header in any case, and repeats the call', async () => {
    const token = communityToken(await communityLogin(upstream));
    const received = await send(`${upstream.baseUrl}/AgentLogonReport?sortOption=1`, {
      method: 'DELETE',
      headers: { wfmsgApiKey: token },
      body: 'hello',
    });
    expect(received.json).toMatchObject({
      success: true,
      actingAs: { agentId: 4711 },
      method: 'DELETE',
      path: '/CommunityWebApi/api/AgentLogonReport',
      query: 'sortOption=1',
      body: { length: 5, sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' },
    });
  });

  it('C1: answers 401 without a token header to a token that is not exactly one of its own', async () => {
    const token = communityToken(await communityLogin(upstream));
    for (const wrong of [
      'x',
      token.replace(/=+$/, ''),
      token.toLowerCase(),
      `${token}, ${token}`,
      encodeURIComponent(token),
    ]) {
      const received = await communityCall(upstream, wrong);
      expect([received.status, received.headers['wfmsgapikey']]).toEqual([401, undefined]);
    }
    expect(upstream.ledger().slides).toEqual([]);
    expect(upstream.ledger().calls.every(({ subject }) => subject === 'unknown')).toBe(true);
  });

  it('is not called under the login path by a client that has a token', async () => {
    const token = communityToken(await communityLogin(upstream));
    expect((await communityCall(upstream, token, '/authenticateex/')).status).toBe(405);
  });
});
