import { createHmac } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { send } from '../local/demo/demo-client.ts';
import { gistOf, headersOf, tokenOf } from './api-client.ts';
import { startOwnBroker } from './own-broker.ts';
import { startVendor } from './vendor-server.ts';
import { waitUntil } from './wait-until.ts';

/** Starts an API of sessions that a logout ends; each call wants a session and the developer's key. */
function startSessions(devKey: string) {
  const logins: string[] = [];
  const sessions = new Set<string>();
  const logouts: string[] = [];
  /** Answers to logouts in place of its own. */
  const broken: number[] = [];
  const server = startVendor(logins, ({ method, url, headers }, body) => {
    if (url === '/v3/login' && JSON.parse(body).devKey === devKey) {
      logins.push('system');
      const sessionId = `session-${logins.length}-of-some-length`;
      sessions.add(sessionId);
      return { status: 200, body: { sessionId } };
    }
    const session = String(headers['sessionid']);
    const isKnown = headers['devkey'] === devKey && sessions.has(session);
    if (method === 'POST' && url === '/v3/logout') {
      logouts.push(session);
      const status = broken.shift();
      if (status !== undefined) return { status, body: {} };
      return { status: isKnown && sessions.delete(session) ? 200 : 401, body: {} };
    }
    return { status: isKnown ? 200 : 401, body: { url } };
  });
  return { server, sessions, logouts, broken };
}

describe('a DELETE where the provider has a logout', async () => {
  const devKey = 'developer-key-81Kd02mQz';
  const api = startSessions(devKey);
  const vendor = await api.server;
  const own = await startOwnBroker({
    connections: {
      books: { provider: 'bill', baseUrl: vendor.baseUrl, memorySeconds: 0, proxy: { paths: ['/v3/bills'] } },
    },
    secrets: { books: { username: 'u', password: 'p-03Xq!kW2', organizationId: '008', devKey } },
  });
  afterAll(async () => {
    await own.close();
    await vendor.close();
  });
  const bills = () => send(`${own.broker.url}/proxy/books/system/v3/bills`);

  it('ends the session at the upstream, with the part of the credential that was kept beside it', async () => {
    expect((await bills()).status).toBe(200);
    const [session] = api.sessions;
    expect((await own.api.purge('books', 'system')).status).toBe(204);
    await waitUntil('logout', () => (api.sessions.size === 0 ? true : undefined));

    expect(api.logouts).toEqual([session]);
    const called = await send(`${vendor.baseUrl}/v3/bills`, { headers: { sessionid: `${session}`, devkey: devKey } });
    expect(called.status).toBe(401);
    expect((await bills()).status).toBe(200);
  });

  it('answers the same where the logout fails, and the next call has a session of its own', async () => {
    const before = api.logouts.length;
    api.broken.push(500);
    expect((await own.api.purge('books', 'system')).status).toBe(204);
    await waitUntil('logout', () => (api.logouts.length > before ? true : undefined));
    expect((await bills()).status).toBe(200);

    expect(api.logouts.length).toBe(before + 1);
    expect(vendor.logins).toHaveLength(3);
  });
});

describe('a token that is signed here, with a probe', async () => {
  const keys = new Set(['the-first-key-of-some-length']);
  const probes: string[] = [];
  const isSigned = (jwt: string) => {
    const [head, claims, signature] = jwt.split('.');
    return [...keys].some(
      (key) => createHmac('sha256', key).update(`${head}.${claims}`).digest('base64url') === signature,
    );
  };
  const vendor = await startVendor([], ({ url = '', headers }) => {
    const isGood = isSigned(headers.authorization?.split(' ').at(-1) ?? '');
    if (url === '/me') probes.push(isGood ? 'good' : 'bad');
    return isGood ? { status: 200, body: { url } } : { status: 401, body: { error: 'invalid_client' } };
  });
  const bearer = { authorization: 'Bearer {token}' };
  const own = await startOwnBroker({
    providers: {
      signed: {
        secretFields: { key: {} },
        derived: { token: { jwt: { alg: 'HS256', key: '{key}', claims: { iss: 'broker' }, lifeSeconds: 600 } } },
        logins: { system: [] },
        placement: { headers: bearer },
        lifetime: [{ jwt: 'token' }],
        probe: { method: 'GET', url: '/me', headers: bearer },
      },
    },
    connections: { signed: { provider: 'signed', baseUrl: vendor.baseUrl, memorySeconds: 0 } },
    secrets: { signed: { key: 'a-key-that-nobody-knows-of-3kx' } },
  });
  afterAll(async () => {
    await own.close();
    await vendor.close();
  });

  it('is not handed out while the upstream refuses the key', async () => {
    expect(gistOf(await own.api.token('signed', 'system'))).toBe('502 upstream_credential_rejected');
    expect(gistOf(await own.api.token('signed', 'system'))).toBe('502 upstream_credential_rejected');
    expect(probes).toEqual(['bad']);
  });

  it('is handed out once the secret has the right key', async () => {
    await own.writeSecrets({ signed: { key: [...keys].join('') } });
    const handOut = await waitUntil('token', async () => {
      const answer = await own.api.token('signed', 'system');
      return answer.status === 200 ? answer : undefined;
    });

    expect(tokenOf(handOut)).toMatch(/^eyJ/);
    expect(probes).toEqual(['bad', 'good']);
    expect((await send(`${vendor.baseUrl}/things`, { headers: headersOf(handOut) })).status).toBe(200);
    expect(gistOf(await own.api.token('signed', 'system'))).toBe('200 cache');
    expect(probes).toHaveLength(2);
  });
});
