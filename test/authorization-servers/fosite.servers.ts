import { afterAll, describe, expect, it } from 'vitest';
import { resolveConnections } from '../../functions/configuration/check.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { failureIn, realUpstream, secretOf, tokenIn } from '../functions/providers/provider-harness.ts';
import { ecKey, rsaKey, type TestKey } from '../functions/providers/test-keys.ts';
import { startFositeServer } from './fosite-server.ts';

/** What a form encodes, what Basic splits at, and what base64 alone would spoil (RFC 6749 §2.3.1). */
const ID = 'ein Client:1/+%ü';
const SECRET = ':%+ é&=%41~€ and more, to be long enough';
const LIFE_SECONDS = 600;
const PERSON = { username: 'a-person', password: 'of a test' };

const keys = { RS256: rsaKey(), PS256: rsaKey(), ES256: ecKey('P-256') };
const signers = ['RS256', 'PS256', 'ES256'] as const;
const scopes = ['read', 'write', 'offline'];
const grantTypes = ['client_credentials'];

const jwkOf = ({ publicKey }: TestKey, kid: string) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' });

const server = await startFositeServer({
  lifeSeconds: LIFE_SECONDS,
  clients: [
    { id: ID, secret: SECRET, method: 'client_secret_basic', grantTypes, scopes },
    { id: 'poster', secret: SECRET, method: 'client_secret_post', grantTypes, scopes },
    ...signers.map((algorithm) => {
      const key = jwkOf(keys[algorithm], 'k-1');
      return { id: algorithm, method: 'private_key_jwt', algorithm, key, grantTypes, scopes };
    }),
    ...(['client_secret_basic', 'client_secret_post'] as const).map((method) => ({
      id: `renewer by ${method}`,
      secret: SECRET,
      method,
      grantTypes: ['password', 'refresh_token'],
      scopes,
    })),
  ],
  issuers: ['a-workload', 'me@example.com'].map((subject) => ({
    name: 'a-workload',
    subject,
    key: jwkOf(keys.RS256, 'k-1'),
    scopes,
  })),
  users: { [PERSON.username]: PERSON.password },
});
afterAll(() => server.close());

function connectionTo(provider: string, settings: Readonly<Record<string, unknown>> = {}): Connection {
  const desk = { provider, baseUrl: server.baseUrl, ...settings };
  const connection = resolveConnections({ connections: { desk } }).connections['desk'];
  if (connection === undefined) throw new Error('no connection');
  return connection;
}

function logIn(connection: Connection, secret: Readonly<Record<string, string>>, subject = 'system') {
  const { upstream } = realUpstream();
  const keep = async () => {};
  return upstream.login({ connection, subject, secret: secretOf(secret), timeoutMs: 6_000, keep });
}

/** What the server says of the token that a login brought. */
async function issuedBy(outcome: ReturnType<typeof logIn>) {
  const issued = tokenIn(await outcome);
  expect(issued.life.seconds).toBeGreaterThan(LIFE_SECONDS - 3);
  expect(issued.life.seconds).toBeLessThanOrEqual(LIFE_SECONDS);
  return server.find(issued.value.reveal());
}

describe('client credentials (RFC 6749 §4.4)', () => {
  it.each([
    ['oauth-client-credentials-basic', ID],
    ['oauth-client-credentials', 'poster'],
  ])('by %s take every character in id and secret (§2.3.1)', async (preset, clientId) => {
    const connection = connectionTo(preset, { scope: ['read', 'write'] });
    const found = await issuedBy(logIn(connection, { clientId, clientSecret: SECRET }));
    expect(found).toEqual({ client: clientId, subject: '', scopes: ['read', 'write'] });
  });

  it.each([
    ['a wrong secret', ID, 'another', {}, 'upstream_credential_rejected', 'invalid_client'],
    ['an unknown client', 'nobody', SECRET, {}, 'upstream_credential_rejected', 'invalid_client'],
    ['the other way to authenticate', 'poster', SECRET, {}, 'upstream_credential_rejected', 'invalid_client'],
    ['a scope of others', ID, SECRET, { scope: 'admin' }, 'upstream_request_rejected', 'invalid_scope'],
  ])('tell %s apart (§5.2)', async (_, clientId, clientSecret, settings, code, error) => {
    const connection = connectionTo('oauth-client-credentials-basic', settings);
    const failed = failureIn(await logIn(connection, { clientId, clientSecret }));
    expect(failed).toMatchObject({ code, evidence: `the error ${error} in the body` });
  });

  it('without the grant refuse the credential (§5.2)', async () => {
    const secret = { clientId: 'renewer by client_secret_basic', clientSecret: SECRET };
    const failed = failureIn(await logIn(connectionTo('oauth-client-credentials-basic'), secret));
    expect(failed).toMatchObject({ evidence: 'the error unauthorized_client in the body', backOff: 'refused' });
  });
});

describe('private_key_jwt (RFC 7523 §2.2)', () => {
  it.each(signers)('is taken where it is signed by %s, and is new in each login', async (algorithm) => {
    const connection = connectionTo('oauth-private-key-jwt', { algorithm });
    const secret = { clientId: algorithm, keyId: 'k-1', privateKey: keys[algorithm].pkcs8 };
    for (const _ of [1, 2]) expect(await issuedBy(logIn(connection, secret))).toMatchObject({ client: algorithm });
  });

  it('of another key refuses the credential', async () => {
    const secret = { clientId: 'RS256', keyId: 'k-1', privateKey: keys.PS256.pkcs8 };
    const failed = failureIn(await logIn(connectionTo('oauth-private-key-jwt'), secret));
    expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
  });
});

describe('a JWT as the grant (RFC 7523 §2.1)', () => {
  const secret = { issuer: 'a-workload', keyId: 'k-1', privateKey: keys.RS256.pkcs8 };

  it.each([
    ['system', 'a-workload'],
    ['me@example.com', 'me@example.com'],
  ])('for %s says in `sub` whom it is for (§3)', async (subject, expected) => {
    const outcome = logIn(connectionTo('jwt-bearer', { scope: 'read' }), secret, subject);
    expect(await issuedBy(outcome)).toMatchObject({ subject: expected, scopes: ['read'] });
  });

  it('for a user who is unknown is about that user', async () => {
    const failed = failureIn(await logIn(connectionTo('jwt-bearer'), secret, 'nobody@example.com'));
    expect(failed).toMatchObject({ code: 'upstream_subject_rejected', backOff: 'unknown' });
  });

  it('of another key refuses the credential', async () => {
    const other = { ...secret, privateKey: keys.PS256.pkcs8 };
    const failed = failureIn(await logIn(connectionTo('jwt-bearer'), other));
    expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
  });
});

describe('a refresh token that rotates (RFC 6749 §6)', () => {
  /** A person's consent, by the grant that this server has for it. */
  async function consent(clientId: string): Promise<string> {
    const basic = `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(SECRET)}`).toString('base64')}`;
    const isBasic = clientId.endsWith('basic');
    const answer = await fetch(`${server.baseUrl}/oauth2/token`, {
      method: 'POST',
      headers: isBasic ? { authorization: basic } : {},
      body: new URLSearchParams({
        ...PERSON,
        grant_type: 'password',
        scope: 'read offline',
        ...(!isBasic && { client_id: clientId, client_secret: SECRET }),
      }),
    });
    const granted: { readonly refresh_token?: string } = JSON.parse(await answer.text());
    const { refresh_token: given } = granted;
    if (given === undefined) throw new Error(`no refresh token: ${answer.status}`);
    return given;
  }

  it.each([
    ['oauth-refresh-token-basic', 'renewer by client_secret_basic'],
    ['oauth-refresh-token', 'renewer by client_secret_post'],
  ])('by %s gives a token once; used again it ends every token of the consent', async (preset, clientId) => {
    const connection = connectionTo(preset);
    const secret = { clientId, clientSecret: SECRET, refreshToken: await consent(clientId) };
    const issued = tokenIn(await logIn(connection, secret));
    expect(await server.find(issued.value.reveal())).toMatchObject({ client: clientId });
    const failed = failureIn(await logIn(connection, secret));
    expect(failed).toMatchObject({
      code: 'reauthorization_required',
      evidence: 'the error invalid_grant in the body',
    });
    expect(await server.find(issued.value.reveal())).toBeUndefined();
  });
});
