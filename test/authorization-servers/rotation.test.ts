import { afterAll, expect, it } from 'vitest';
import { gistOf, tokenOf } from '../system/api-client.ts';
import { makeFolder } from '../system/own-broker.ts';
import { type SystemUnderTest, startSystemUnderTest } from '../system/system-under-test.ts';
import { ACCOUNT, startOidcServer, TOKEN_PATH } from './oidc-server.ts';

// The whole broker over a server whose refresh tokens are for one use each, and whose reuse ends the consent: what is
// lost or sent twice is never forgiven.

const CLIENT = 'the books';
const SECRET = 'a secret of a test, long enough for a client of this server';

const server = await startOidcServer([
  {
    client_id: CLIENT,
    client_secret: SECRET,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: ['https://client.example/back'],
    scope: 'openid offline_access',
  },
]);
const folder = await makeFolder();
const consent = await server.consent(CLIENT);
let system = await start(consent);
afterAll(async () => {
  await system.close();
  await folder.remove();
  await server.close();
});

function secretWith(refreshToken: string) {
  return { clientId: CLIENT, clientSecret: SECRET, refreshToken };
}

async function start(refreshToken: string): Promise<SystemUnderTest> {
  const books = {
    ...{ provider: 'oauth-refresh-token-basic', baseUrl: server.baseUrl, tokenPath: TOKEN_PATH },
    memorySeconds: 0,
  };
  return startSystemUnderTest({
    connections: { books },
    secrets: { books: secretWith(refreshToken) },
    flags: ['--data', folder.path],
  });
}

/** A token by a login of its own: the one before is purged. */
async function nextToken(): Promise<string> {
  expect((await system.api.purge('books', 'system')).status).toBe(204);
  const handOut = await system.api.token('books', 'system');
  expect(gistOf(handOut)).toBe('200 login');
  return tokenOf(handOut);
}

it('each login uses the refresh token that the one before brought, and every token stays good', async () => {
  const tokens = [await nextToken(), await nextToken(), await nextToken()];
  expect(new Set(tokens).size).toBe(3);
  for (const token of tokens) expect(await server.find(token)).toMatchObject({ accountId: ACCOUNT });
});

it('a herd of callers sends one', async () => {
  await system.api.purge('books', 'system');
  const before = server.asked.length;
  const handOuts = await Promise.all(Array.from({ length: 20 }, () => system.api.token('books', 'system')));
  expect(new Set(handOuts.map(tokenOf)).size).toBe(1);
  expect(server.asked.length - before).toBe(1);
});

it('the newest is kept over a restart, although the secret still has the first', async () => {
  await system.close();
  system = await start(consent);
  expect(await server.find(await nextToken())).toMatchObject({ accountId: ACCOUNT });
});

it('a consent that somebody else has ended asks for a person, and a new one goes on', async () => {
  const held = await nextToken();
  // Somebody uses the first one again: the server ends all that came of it.
  const form = { grant_type: 'refresh_token', refresh_token: consent };
  const basic = `Basic ${Buffer.from(`${encodeURIComponent(CLIENT)}:${encodeURIComponent(SECRET)}`).toString('base64')}`;
  const request = { method: 'POST', headers: { authorization: basic }, body: new URLSearchParams(form) };
  expect((await fetch(`${server.baseUrl}${TOKEN_PATH}`, request)).status).toBe(400);
  expect(await server.find(held)).toBeUndefined();

  await system.api.purge('books', 'system');
  expect(gistOf(await system.api.token('books', 'system'))).toBe('502 reauthorization_required');
  const before = server.asked.length;
  expect(gistOf(await system.api.token('books', 'system'))).toBe('502 reauthorization_required');
  expect(server.asked.length).toBe(before);

  system.secrets.put('books', secretWith(await server.consent(CLIENT)));
  await expect.poll(async () => gistOf(await system.api.token('books', 'system'))).toBe('200 login');
  for (const _ of [1, 2]) expect(await server.find(await nextToken())).toMatchObject({ accountId: ACCOUNT });
});

it('no refresh token and no secret of the client is printed', () => {
  expect(system.log()).not.toContain(SECRET);
  expect(system.log()).not.toContain(consent);
});
