import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../functions/adapters/system.ts';
import { resolveConnections } from '../../functions/configuration/check.ts';
import type { KeepValues } from '../../functions/core/mint/upstream.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { createUpstreamHttp } from '../../functions/http/client.ts';
import { createForwarder } from '../../functions/providers/engine/forward.ts';
import { selfSigned } from '../functions/http/raw-server.ts';
import { failureIn, realUpstream, secretOf, tokenIn } from '../functions/providers/provider-harness.ts';
import { ecKey, ed25519Key, rsaKey, type TestKey } from '../functions/providers/test-keys.ts';
import { ACCOUNT, API, BOUND_PATH, LIFE_SECONDS, type OidcServer, startOidcServer, TOKEN_PATH } from './oidc-server.ts';

/** RFC 6749 appendix A lets a client's id and secret be of any printable ASCII: these hold what a form encodes. */
const ID = 'the client:1/+%';
const SECRET = ':%+ &=~*"\\?%41 and more, to be long enough for an hour';

const keys = { RS256: rsaKey(), PS256: rsaKey(), ES256: ecKey('P-256'), EdDSA: ed25519Key() };
const certified = selfSigned('client.example');
const selfCertified = selfSigned('another.example');
const SIGNERS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

function jwksOf({ publicKey }: TestKey, kid: string) {
  return { keys: [{ ...publicKey.export({ format: 'jwk' }), kid }] };
}

function clientOf(id: string, method: string, more: Readonly<Record<string, unknown>> = {}) {
  const secret = method.startsWith('client_secret') ? { client_secret: SECRET } : {};
  const grants = { grant_types: ['client_credentials'], scope: 'read write' };
  return { client_id: id, token_endpoint_auth_method: method, ...secret, ...grants, ...more };
}

function renewerOf(id: string, method: string) {
  return clientOf(id, method, {
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: ['https://client.example/back'],
    scope: 'openid offline_access',
  });
}

const clients = [
  clientOf(ID, 'client_secret_basic'),
  clientOf('poster', 'client_secret_post'),
  clientOf('without the grant', 'client_secret_basic', { grant_types: [] }),
  ...SIGNERS.map((alg) =>
    clientOf(alg, 'private_key_jwt', { jwks: jwksOf(keys[alg], 'k-1'), token_endpoint_auth_signing_alg: alg }),
  ),
  renewerOf('renewer by Basic', 'client_secret_basic'),
  renewerOf('renewer by form', 'client_secret_post'),
];

const certifiedClients = [
  clientOf('certified', 'tls_client_auth', {
    tls_client_auth_san_dns: 'client.example',
    tls_client_certificate_bound_access_tokens: true,
  }),
  clientOf('self-certified', 'self_signed_tls_client_auth', {
    jwks: { keys: [jwkOf(selfCertified.cert)] },
  }),
];

function jwkOf(cert: string) {
  const { publicKey, raw } = new X509Certificate(cert);
  return { ...publicKey.export({ format: 'jwk' }), x5c: [raw.toString('base64')] };
}

const [plain, tls] = await Promise.all([startOidcServer(clients), startOidcServer(certifiedClients, { isTls: true })]);
afterAll(() => Promise.all([plain.close(), tls.close()]));

function connectionTo(server: OidcServer, provider: string, keysOfConnection: Readonly<Record<string, unknown>> = {}) {
  const { baseUrl, caCertificate } = server;
  const trust = caCertificate === undefined ? {} : { caCertificate };
  const desk = { provider, baseUrl, tokenPath: TOKEN_PATH, ...trust, ...keysOfConnection };
  const connection = resolveConnections({ connections: { desk } }).connections['desk'];
  if (connection === undefined) throw new Error('no connection');
  return connection;
}

function logIn(
  connection: Connection,
  secret: Readonly<Record<string, string>>,
  keep: KeepValues = async () => undefined,
) {
  const { upstream } = realUpstream();
  return upstream.login({ connection, subject: 'system', secret: secretOf(secret), timeoutMs: 6_000, keep });
}

/** What the server says of the token that a login brought. */
async function issuedBy(server: OidcServer, outcome: ReturnType<typeof logIn>) {
  const issued = tokenIn(await outcome);
  expect(issued.life).toMatchObject({ seconds: LIFE_SECONDS, serverDate: expect.any(Number) });
  return server.find(issued.value.reveal());
}

describe('client credentials (RFC 6749 §4.4)', () => {
  const byName = [
    ['oauth-client-credentials-basic', ID],
    ['oauth-client-credentials', 'poster'],
  ] as const;

  it.each(byName)('by %s take every character in id and secret (§2.3.1)', async (preset, clientId) => {
    const outcome = logIn(connectionTo(plain, preset), { clientId, clientSecret: SECRET });
    expect(await issuedBy(plain, outcome)).toMatchObject({ clientId });
  });

  it.each(byName)('by %s are given the scope and the resource asked for (RFC 8707)', async (preset, clientId) => {
    const connection = connectionTo(plain, preset, { scope: ['read', 'write'], resource: API });
    const found = await issuedBy(plain, logIn(connection, { clientId, clientSecret: SECRET }));
    expect(found).toMatchObject({ scope: 'read write', aud: API });
  });

  it('name each resource by itself, and are refused as misconfigured where the server takes one', async () => {
    const connection = connectionTo(plain, byName[0][0], { scope: 'read', resource: [API, 'https://api.example/v2'] });
    const failed = failureIn(await logIn(connection, { clientId: ID, clientSecret: SECRET }));
    expect(failed).toMatchObject({
      code: 'upstream_request_rejected',
      evidence: 'the error invalid_target in the body',
    });
    expect(failed.detail).toContain('only a single resource indicator value is supported');
  });

  it.each([
    ['a wrong secret', ID, {}, 'upstream_credential_rejected', 'invalid_client'],
    ['an unknown client', 'nobody', {}, 'upstream_credential_rejected', 'invalid_client'],
    ['a client without the grant', 'without the grant', {}, 'upstream_request_rejected', 'invalid_request'],
    ['a resource that is no URI', ID, { resource: 'no URI' }, 'upstream_request_rejected', 'invalid_target'],
    ['a scope of others', ID, { scope: 'admin' }, 'upstream_request_rejected', 'invalid_scope'],
  ])('tell %s apart (§5.2)', async (name, clientId, settings, code, error) => {
    const clientSecret = name === 'a wrong secret' ? 'another' : SECRET;
    const outcome = await logIn(connectionTo(plain, byName[0][0], settings), { clientId, clientSecret });
    expect(failureIn(outcome)).toMatchObject({ code, evidence: `the error ${error} in the body` });
  });
});

describe('private_key_jwt (RFC 7523 §2.2)', () => {
  const secretFor = (alg: (typeof SIGNERS)[number]) => ({
    clientId: alg,
    keyId: 'k-1',
    privateKey: keys[alg].pkcs8,
  });

  it.each(SIGNERS)('is taken where it is signed by %s', async (algorithm) => {
    const connection = connectionTo(plain, 'oauth-private-key-jwt', { algorithm });
    expect(await issuedBy(plain, logIn(connection, secretFor(algorithm)))).toMatchObject({ clientId: algorithm });
  });

  it('may name the issuer as its audience, and is new in each login', async () => {
    const connection = connectionTo(plain, 'oauth-private-key-jwt', { assertionAudience: plain.baseUrl });
    for (const _ of [1, 2]) tokenIn(await logIn(connection, secretFor('RS256')));
  });

  it('of another key refuses the credential', async () => {
    const secret = { ...secretFor('RS256'), privateKey: keys.PS256.pkcs8 };
    const failed = failureIn(await logIn(connectionTo(plain, 'oauth-private-key-jwt'), secret));
    expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
  });

  it('is not sent where the key does not fit the algorithm', async () => {
    const before = plain.asked.length;
    const failed = failureIn(await logIn(connectionTo(plain, 'oauth-private-key-jwt'), secretFor('ES256')));
    expect(failed).toMatchObject({ code: 'secret_invalid', detail: expect.stringContaining('does not fit RS256') });
    expect(plain.asked).toHaveLength(before);
  });
});

describe('a client certificate (RFC 8705)', () => {
  const secretFor = (clientId: string, { cert, key }: typeof certified) => ({
    clientId,
    certificate: cert,
    privateKey: key,
  });

  it('is the credential of tls_client_auth (§2.1), and the token is bound to it (§3)', async () => {
    const connection = connectionTo(tls, 'oauth-certificate-bound', { proxy: {} });
    const thumbprint = createHash('sha256').update(new X509Certificate(certified.cert).raw).digest('base64url');
    const issued = tokenIn(await logIn(connection, secretFor('certified', certified)));
    expect(await tls.find(issued.value.reveal())).toMatchObject({ clientId: 'certified', 'x5t#S256': thumbprint });

    const forwarder = createForwarder({ http: createUpstreamHttp(), clock: systemClock });
    const request = { method: 'GET', path: BOUND_PATH, query: '', headers: {} };
    const call = {
      connection,
      subject: 'system',
      token: issued.value,
      values: issued.values ?? {},
      request,
      timeoutMs: 6_000,
    };
    const made = await forwarder.forward({ ...call, closed: issued.closed });
    expect(made).toMatchObject({ kind: 'answer', answer: { status: 200 } });
    const without = await forwarder.forward({ ...call, closed: undefined });
    expect(without).toMatchObject({ kind: 'answer', answer: { status: 401 } });
  });

  it('is the credential of self_signed_tls_client_auth (§2.2)', async () => {
    const connection = connectionTo(tls, 'oauth-tls-client-auth');
    const outcome = logIn(connection, secretFor('self-certified', selfCertified));
    expect(await issuedBy(tls, outcome)).toMatchObject({ clientId: 'self-certified' });
  });

  it.each(['certified', 'self-certified'])('of somebody else refuses the credential of %s', async (clientId) => {
    const other = clientId === 'certified' ? selfCertified : certified;
    const failed = failureIn(await logIn(connectionTo(tls, 'oauth-tls-client-auth'), secretFor(clientId, other)));
    expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
  });
});

describe('a refresh token that rotates (RFC 6749 §6)', () => {
  const renewers = [
    ['oauth-refresh-token-basic', 'renewer by Basic'],
    ['oauth-refresh-token', 'renewer by form'],
  ] as const;

  it.each(renewers)('by %s brings the next one with each token', async (preset, clientId) => {
    const connection = connectionTo(plain, preset);
    const client = { clientId, clientSecret: SECRET };
    const kept: string[] = [await plain.consent(clientId)];
    for (const _ of [1, 2, 3]) {
      const outcome = await logIn(connection, { ...client, refreshToken: kept.at(-1) ?? '' }, async (next) => {
        kept.push(next.reveal()['refreshToken'] ?? '');
      });
      expect(await plain.find(tokenIn(outcome).value.reveal())).toMatchObject({ clientId, accountId: ACCOUNT });
    }
    expect(new Set(kept).size).toBe(4);
  });

  it.each(renewers)('by %s that was used already ends every token of the consent', async (preset, clientId) => {
    const connection = connectionTo(plain, preset);
    const secret = { clientId, clientSecret: SECRET, refreshToken: await plain.consent(clientId) };
    const issued = tokenIn(await logIn(connection, secret));
    const failed = failureIn(await logIn(connection, secret));
    expect(failed).toMatchObject({
      code: 'reauthorization_required',
      evidence: 'the error invalid_grant in the body',
    });
    expect(failed.detail).toContain('It said: "');
    expect(await plain.find(issued.value.reveal())).toBeUndefined();
  });
});
