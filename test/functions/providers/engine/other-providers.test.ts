import { createServer, type IncomingMessage } from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import type { Secret } from '../../../../functions/core/words/secret.ts';
import { BEARER, header, IN_SECONDS, OAUTH_ANSWER, type Provider } from '../../../../functions/providers/provider.ts';
import { listenOnLoopback } from '../../../../local/aws/loopback-server.ts';
import { connectionOf, failureIn, realUpstream, secretOf, tokenIn } from '../provider-harness.ts';

/** A fictitious bookings service: client id and secret by Basic, a bearer token with `expires_in` in seconds. */
const bookings = {
  secretFields: { clientId: { without: ':' }, clientSecret: {} },
  settings: { tokenPath: { kind: 'path', default: '/oauth/token' } },
  logins: {
    system: [
      {
        url: '{tokenPath}',
        basic: { user: '{clientId}', password: '{clientSecret}' },
        form: { grant_type: 'client_credentials' },
        reads: OAUTH_ANSWER,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;

/** A form login whose token comes in a header and lives a fixed idle time, renewed by the same header. */
const sessions = {
  secretFields: { user: {}, password: {} },
  settings: { keepAlivePath: { kind: 'path' } },
  defaults: { lifetimeSeconds: 900, maxSessionSeconds: 28_800 },
  logins: {
    system: [
      {
        url: '/session',
        form: { user: '{user}', password: '{password}' },
        reads: { token: header('X-Session') },
      },
    ],
  },
  placement: { headers: { 'x-session': '{token}' } },
  lifetime: [{ setting: 'lifetimeSeconds' }],
  renewal: {
    slide: {
      method: 'GET',
      url: '{keepAlivePath}',
      headers: { 'x-session': '{token}' },
      reads: { token: header('X-Session') },
    },
  },
} as const satisfies Provider;

/** A key in a header of a GET, and the whole body is the token, a JWT or not. */
const plainText = {
  secretFields: { key: {} },
  logins: {
    system: [
      {
        method: 'GET',
        url: '/token',
        headers: { 'X-ApiKey': 'Key {key}' },
        answer: 'text',
        reads: { token: { in: 'text' } },
      },
    ],
  },
  placement: { headers: { authorization: 'token {token}' } },
} as const satisfies Provider;

const providers: Readonly<Record<string, Provider>> = { bookings, sessions, plainText };
const subject = 'system';
const timeoutMs = 2_000;

const server = createServer(async (request, response) => {
  const form = new URLSearchParams(await textOf(request));
  switch (`${request.method} ${request.url}`) {
    case 'POST /v2/oauth/token': {
      const isRight =
        request.headers.authorization === `Basic ${Buffer.from('id:s€cret:x').toString('base64')}` &&
        form.get('grant_type') === 'client_credentials';
      response.statusCode = isRight ? 200 : 401;
      response.end(JSON.stringify(isRight ? { access_token: 'abc', expires_in: 600 } : { error: 'invalid_client' }));
      return;
    }
    case 'POST /v2/session':
      if (form.get('user') === 'u' && form.get('password') === 'p&w') response.setHeader('x-session', 'first');
      response.end('welcome');
      return;
    case 'GET /v2/ping':
      response.statusCode = request.headers['x-session'] === 'first' ? 200 : 401;
      response.setHeader('x-session', 'second');
      response.end();
      return;
    case 'GET /v2/token':
      response.end(request.headers['x-apikey'] === 'Key k' ? 'opaque-token\r\n' : '<html>who are you</html>');
      return;
    default:
      response.statusCode = 404;
      response.end();
  }
});
const baseUrl = `${await listenOnLoopback(server, 0)}/v2`;
afterAll(() => new Promise((resolve) => server.close(resolve)));

function using(name: string, settings: Record<string, string> = {}) {
  const provider = providers[name];
  if (provider === undefined) throw new Error(`no provider ${name}`);
  const { upstream } = realUpstream();
  const connection = connectionOf(name, baseUrl, { provider, settings });
  const plain = { connection, subject, timeoutMs, values: {}, closed: undefined, secret: undefined };
  return {
    login: (secret: unknown) => upstream.login({ connection, subject, secret: secretOf(secret), timeoutMs }),
    slide: (token: Secret<string>) => upstream.renew({ ...plain, token }),
    canRenew: () => upstream.waysOf(connection).renewal !== undefined,
  };
}

describe('a third provider', () => {
  it('with Basic and expires_in runs on the engine as it is', async () => {
    const { login, canRenew } = using('bookings');
    const issued = tokenIn(await login({ clientId: 'id', clientSecret: 's€cret:x' }));
    expect(issued.value.reveal()).toBe('abc');
    expect(issued.life.seconds).toBe(600);
    expect(canRenew()).toBe(false);
    expect(failureIn(await login({ clientId: 'id', clientSecret: 'wrong' })).code).toBe('upstream_credential_rejected');
    expect(failureIn(await login({ clientId: 'i:d', clientSecret: 'x' })).code).toBe('secret_invalid');
  });

  it('with a form login and the token in a header runs on it too', async () => {
    const { login, slide, canRenew } = using('sessions', { keepAlivePath: '/ping' });
    const issued = tokenIn(await login({ user: 'u', password: 'p&w' }));
    expect(issued.life.seconds).toBe(900);
    expect(canRenew()).toBe(true);
    expect(tokenIn(await slide(issued.value)).value.reveal()).toBe('second');
    expect(failureIn(await login({ user: 'u', password: 'no' })).code).toBe('upstream_invalid_response');
  });

  it('with a key in a header and a token as plain text runs on it too', async () => {
    const { login } = using('plainText');
    const issued = tokenIn(await login({ key: 'k' }));
    expect(issued.value.reveal()).toBe('opaque-token');
    expect(issued.life.exp).toBeUndefined();
    expect(issued.life.seconds).toBeUndefined();
    expect(failureIn(await login({ key: 'other' })).code).toBe('upstream_invalid_response');
    expect(failureIn(await login({ key: 'k€y' })).code).toBe('secret_invalid');
  });
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
