import { jwtVerify } from 'jose';
import { selfSigned } from '../functions/http/raw-server.ts';
import type { TestKey } from '../functions/providers/test-keys.ts';
import { startVendor, type VendorAnswer } from './vendor-server.ts';

/**
 * Starts GitHub's API for an app: a JWT by the app's key in, a token of one installation out, for an hour. A JWT must be
 * of at most ten minutes; an installation of nobody's is not found.
 */
export function startGitHub(app: { readonly id: string; readonly key: TestKey; readonly installations: string[] }) {
  const logins: string[] = [];
  const tokens = new Map<string, string>();

  async function logIn(installation: string, jwt: string): Promise<VendorAnswer> {
    const claims = await jwtVerify(jwt, app.key.publicKey, { algorithms: ['RS256'], issuer: app.id }).then(
      ({ payload }) => payload,
      () => undefined,
    );
    const { iat = Number.POSITIVE_INFINITY, exp = 0 } = claims ?? {};
    logins.push(installation);
    if (claims === undefined || iat > Date.now() / 1000 || exp - iat > 600) {
      return { status: 401, body: { message: 'A JSON web token could not be decoded' } };
    }
    if (!app.installations.includes(installation)) return { status: 404, body: { message: 'Not Found' } };
    const token = `ghs_${installation}x${logins.length}`;
    tokens.set(token, installation);
    const end = `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`;
    return { status: 201, body: { token, expires_at: end, permissions: { contents: 'read' } } };
  }

  return startVendor(logins, async ({ method, url = '', headers }) => {
    const [scheme, bearer = ''] = headers.authorization?.split(' ') ?? [];
    const [, installation] = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(url) ?? [];
    if (method === 'POST' && installation !== undefined && scheme === 'Bearer') return logIn(installation, bearer);
    const of = tokens.get(bearer);
    if (of === undefined) return { status: 401, body: { message: 'Bad credentials' } };
    return { status: 200, body: { total_count: 1, repositories: [{ id: Number(of) }] } };
  });
}

/**
 * Starts Google's token endpoint and an API: a JWT by a service account's key in, a token of an hour out; `sub` is a
 * user whose domain has delegated.
 */
export function startGoogle(account: { readonly email: string; readonly key: TestKey; readonly users: string[] }) {
  const logins: string[] = [];
  const tokens = new Map<string, string>();

  async function logIn(form: URLSearchParams, audience: string): Promise<VendorAnswer> {
    const claims = await jwtVerify(form.get('assertion') ?? '', account.key.publicKey, {
      algorithms: ['RS256'],
      issuer: account.email,
      audience,
    }).then(
      ({ payload }) => payload,
      () => undefined,
    );
    const { sub = 'system', iat = 0, exp = Number.POSITIVE_INFINITY, scope } = claims ?? {};
    logins.push(sub);
    const isGrant = form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    if (claims === undefined || !isGrant || exp - iat > 3600 || typeof scope !== 'string') {
      return { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } };
    }
    if (sub !== 'system' && !account.users.includes(sub)) {
      return { status: 401, body: { error: 'unauthorized_client', error_description: 'Client is unauthorized.' } };
    }
    const token = `ya29.${logins.length}`;
    tokens.set(token, sub);
    return { status: 200, body: { access_token: token, expires_in: 3599, token_type: 'Bearer' } };
  }

  return startVendor(
    logins,
    async ({ method, url, headers }, body) => {
      if (method === 'POST' && url === '/token') {
        return logIn(new URLSearchParams(body), `https://${headers.host}/token`);
      }
      const of = tokens.get(headers.authorization?.replace('Bearer ', '') ?? '');
      return of === undefined ? { status: 401, body: {} } : { status: 200, body: { user: of } };
    },
    selfSigned('localhost'),
  );
}
