import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import type { Connection } from '../../../functions/core/slot/connection.ts';
import { place } from '../../../functions/core/slot/placement.ts';
import type { HttpRequest } from '../../../functions/http/port.ts';
import { isProxyOnly } from '../../../functions/providers/names.ts';
import { providerOf, providers } from '../../../functions/providers/registry.ts';
import { selfSigned } from '../http/raw-server.ts';
import { genericCases } from './presets/generic-cases.ts';
import { oauthCases } from './presets/oauth-cases.ts';
import { NOW, type PresetCase, type SentRequest, type Signed } from './presets/preset-case.ts';
import { rotatingCases } from './presets/rotating-cases.ts';
import { sessionCases } from './presets/session-cases.ts';
import { KEYS, signedCases, UUID } from './presets/signed-cases.ts';
import { type Answer, answeredInTurn, connectionOf, failureIn, secretOf, tokenIn } from './provider-harness.ts';
import { ecKey, rsaKey } from './test-keys.ts';

const cases = [...genericCases, ...oauthCases, ...rotatingCases, ...signedCases, ...sessionCases];
const FOLDER = new URL('../../../functions/providers/presets/', import.meta.url);
/** The presets of the first day have every clause of their vendors' in them, and cite these. */
const OF_THE_FIRST_DAY = ['helpmaster', 'community-web-api'];
/** Presets of a standard, and of no vendor. */
const GENERIC = [
  ...['oauth-client-credentials', 'oauth-client-credentials-basic', 'oauth-private-key-jwt', 'oauth-refresh-token'],
  ...['oauth-refresh-token-basic', 'oauth-tls-client-auth', 'oauth-certificate-bound'],
  ...['jwt-bearer', 'login-json', 'login-form'],
];

const rsa = rsaKey();
const ec = ecKey('P-256');
const certified = selfSigned('client.example');
const materials: Readonly<Record<string, string>> = {
  [KEYS.rsa]: rsa.pkcs8,
  [KEYS.ec]: ec.pkcs8,
  [KEYS.certificate]: certified.cert,
  [KEYS.certifiedKey]: certified.key,
};

describe('the files of the presets', () => {
  const files = readdirSync(FOLDER).sort();

  it('are those of the registry, by their names', () => {
    expect(files).toEqual(
      Object.keys(providers)
        .map((name) => `${name}.ts`)
        .sort(),
    );
    for (const name of Object.keys(providers)) expect(providerOf(name)).toBeDefined();
  });

  it('are all tried here, but those with tests of their own', () => {
    const tried = new Set([...cases.map(({ preset }) => preset), ...OF_THE_FIRST_DAY]);
    expect([...tried].sort()).toEqual(Object.keys(providers).sort());
  });

  it.each(files)('%s is short, and says where its facts are from', (file) => {
    const name = file.replace('.ts', '');
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    expect(text.split('\n').length - 1).toBeLessThan(OF_THE_FIRST_DAY.includes(name) ? 60 : 40);
    const docblock = /\/\*\*\n?([\s\S]*?)\*\/\nexport const/.exec(text)?.[1] ?? '';
    if (OF_THE_FIRST_DAY.includes(name)) expect(docblock).toMatch(/\([CH]\d+/);
    else if (GENERIC.includes(name)) expect(docblock).toMatch(/RFC \d{4}|member `token`/);
    else expect(docblock).toMatch(/https:\/\/[a-z0-9.-]+\.[a-z]{2,}\//);
  });
});

function connectionFor({ preset, baseUrl, settings = {} }: PresetCase): Connection {
  const provider = providerOf(preset);
  if (provider === undefined) throw new Error(`no preset ${preset}`);
  const proxy = isProxyOnly(provider) ? { proxy: {} } : {};
  const { connections } = resolveConnections({
    connections: { desk: { provider: preset, baseUrl, ...settings, ...proxy } },
  });
  const connection = connections['desk'];
  if (connection === undefined) throw new Error('no connection');
  return connection;
}

function logIn(tried: PresetCase, answers: readonly Answer[]) {
  const { upstream, sent } = answeredInTurn(answers, { now: NOW });
  const filled = Object.entries(tried.secret).map(([name, value]) => [name, materials[value] ?? value]);
  const connection = connectionFor(tried);
  const secret = secretOf(Object.fromEntries(filled));
  const keep = async () => {};
  const outcome = upstream.login({ connection, subject: tried.subject ?? 'system', secret, timeoutMs: 6_000, keep });
  return { outcome, sent, connection };
}

const JWT = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;
const ANY_UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

async function expectSigned(token: string, { header, claims, lifeSeconds }: Signed): Promise<void> {
  expect(decodeProtectedHeader(token)).toEqual(header);
  const { publicKey } = String(header['alg']).startsWith('ES') ? ec : rsa;
  const { payload } = await jwtVerify(token, publicKey, { currentDate: new Date(NOW) });
  const print = createHash('sha256')
    .update(rsa.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  const expected = { iat: NOW / 1000, exp: NOW / 1000 + lifeSeconds, ...claims };
  const said = JSON.stringify(payload).replace(ANY_UUID, UUID).replace(print, '<fingerprint>');
  expect(JSON.parse(said)).toEqual(expected);
}

async function expectSent(request: HttpRequest, { signed, certificate, method = 'POST', ...expected }: SentRequest) {
  const [jwt = ''] = JWT.exec(`${request.headers['authorization']} ${request.body ?? ''}`) ?? [];
  const shown = JSON.stringify(request)
    .replace(jwt === '' ? '<jwt>' : jwt, '<jwt>')
    .replace(ANY_UUID, '<uuid>');
  const sent: HttpRequest = JSON.parse(shown);
  const { timeoutMs, ...plain } = sent;
  expect(timeoutMs).toBe(6_000);
  const pair = certificate === true ? { certificate: { cert: certified.cert, key: certified.key } } : {};
  expect(plain).toEqual({ method, ...expected, ...pair });
  if (signed !== undefined) await expectSigned(jwt, signed);
}

const named = cases.map(
  (tried) => [`${tried.preset}${tried.subject === undefined ? '' : ' for a user'}`, tried] as const,
);

describe('a login', () => {
  it.each(named)('by %s is as its vendor documents it', async (_, tried) => {
    const { outcome, sent, connection } = logIn(tried, tried.answers);
    const issued = tokenIn(await outcome);

    expect(sent).toHaveLength(tried.sent.length);
    for (const [index, expected] of tried.sent.entries()) {
      const request = sent[index];
      if (request === undefined) throw new Error('no request');
      await expectSent(request, expected);
    }
    const token = issued.value.reveal();
    if (typeof tried.token === 'string') expect(token).toBe(tried.token);
    else await expectSigned(token, tried.token.jwt);
    expect(issued.life).toEqual(tried.life);
    expect(issued).not.toHaveProperty('warning');

    const { proxyOnly = false, headers, baseUrl = connection.baseUrl } = tried.placed;
    const placed = place({ connection, subject: 'system' }, token, { ...issued.values, ...issued.closed?.reveal() });
    const lowered = Object.entries(placed.headers).map(([name, value]) => [name.toLowerCase(), value]);
    const expectedHeaders: unknown = JSON.parse(JSON.stringify(headers).replace('<token>', token));
    expect(Object.fromEntries(lowered)).toEqual(expectedHeaders);
    expect(placed).toMatchObject({ query: {}, baseUrl });
    expect(connection.proxyOnly).toBe(proxyOnly);
  });

  const refusals = named.flatMap(([name, tried]) =>
    tried.errors.map(([answer, code]) => [name, code, answer, tried] as const),
  );

  it.each(refusals)('by %s ends in %s: %j', async (_, code, answer, tried) => {
    const before = tried.answers.slice(0, -1);
    const { outcome } = logIn(tried, [...before, answer]);
    expect(failureIn(await outcome).code).toBe(code);
  });

  const sending = named.filter(([, { sent }]) => sent.length > 0);

  it.each(sending)('by %s is refused by nothing that a firewall, a proxy or a rate limit answers', async (_, tried) => {
    const answers: readonly (readonly [Answer, string])[] = [
      [{ status: 403, body: '<html>Blocked</html>' }, 'upstream_login_ambiguous'],
      [{ status: 401, body: '<html>Sign in</html>' }, 'upstream_login_ambiguous'],
      [{ status: 400, body: '<h1>Bad Request</h1>' }, 'upstream_login_ambiguous'],
      [{ status: 403, body: '{"message":"Forbidden"}' }, 'upstream_login_ambiguous'],
      [{ status: 401, headers: { 'retry-after': ['3'] } }, 'upstream_login_ambiguous'],
      [{ status: 429 }, 'upstream_throttled'],
      [{ status: 503 }, 'upstream_unavailable'],
      [{ status: 502, body: '<html>' }, 'upstream_unavailable'],
      [{ body: '<html>Sign in</html>' }, 'upstream_invalid_response'],
    ];
    for (const [answer, code] of answers) {
      const failed = failureIn(await logIn(tried, [answer]).outcome);
      expect([answer, failed.code]).toEqual([answer, code]);
      expect(failed.backOff).not.toBe('refused');
    }
  });

  it.each(sending)('by %s is refused for good where a 401 without a body says so', async (_, tried) => {
    const failed = failureIn(await logIn(tried, [{ status: 401 }]).outcome);
    expect(failed).toMatchObject({ code: 'upstream_credential_rejected', backOff: 'refused' });
  });
});

it.each(['com.cn', 'ca', 'sa', 'ae'])('Zoho’s data centre %s is where its own answer leads to', async (domain) => {
  const body = JSON.stringify({ access_token: 'abc', api_domain: `https://www.zohoapis.${domain}` });
  const { upstream } = answeredInTurn([{ body }], { now: NOW });
  const connection = connectionOf('zoho', 'https://accounts.zoho.com');
  const secret = secretOf({ clientId: 'c', clientSecret: 's', refreshToken: 'r' });
  const issued = tokenIn(await upstream.login({ connection, subject: 'system', secret, timeoutMs: 6_000 }));
  expect(issued.values).toEqual({ api: `https://www.zohoapis.${domain}` });
});

describe('a logout', () => {
  const leaving = named.filter(([, { preset }]) => providerOf(preset)?.logout !== undefined);

  it('is tried of every preset that has one', () => {
    for (const [, { logout }] of leaving) expect(logout).toBeDefined();
    expect(named.filter(([, { logout }]) => logout !== undefined)).toEqual(leaving);
  });

  it.each(leaving)('by %s ends the token as its vendor documents it', async (_, tried) => {
    const [expected, answer] = tried.logout ?? [];
    if (expected === undefined || answer === undefined) throw new Error('no logout');
    const { outcome, connection } = logIn(tried, tried.answers);
    const { value: token, values = {}, closed } = tokenIn(await outcome);
    const { upstream, sent } = answeredInTurn([answer], { now: NOW });
    const secret = upstream.waysOf(connection).logout?.needsSecret === true ? secretOf(tried.secret) : undefined;
    const subject = tried.subject ?? 'system';
    const failed = await upstream.logout({
      ...{ connection, subject, token, values, closed, secret, timeoutMs: 6_000 },
    });

    expect(failed).toBeUndefined();
    expect(sent).toHaveLength(1);
    const [request] = sent;
    if (request !== undefined) await expectSent(request, expected);
  });
});
